"""Ray on this machine: starts in the background while its driver prepares."""

from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Self

from sweeps.backend.cluster import cluster
from sweeps.planning.plan import Plan


class OwnCluster:
    """A cluster that is there when it is called, and starts before that where it is asked to.

    One thread starts Ray and ends it, and lives on in between: the kernel ends Ray's processes when the thread that
    began them is gone.
    """

    def __init__(self, plan: Plan):
        self.plan, self.session = plan, ExitStack()
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="ray")
        self.started: Future[None] | None = None

    def prepare(self) -> None:
        """Start Ray and do not wait for it; what fails is told when the cluster is called."""
        if self.started is None:
            self.started = self.thread.submit(self.session.enter_context, cluster(self.plan, None))

    @contextmanager
    def __call__(self) -> Generator[None]:
        """Wait for the cluster, to train within; at the end wait until it is gone.

        Raises:
            StartError: Ray cannot be started here.
            ResourceError: not one run of the plan fits.
        """
        self.prepare()
        try:
            assert self.started is not None
            self.started.result()
            yield
        finally:
            self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self.thread.shutdown()

    def _end(self) -> None:
        self.started = None
        # What Tune leaves refers to Ray's worker: freed elsewhere while the worker shuts down, it ends the process.
        self.thread.submit(self.session.close).result()
