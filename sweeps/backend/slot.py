"""Trainable of a run with several workers: a long-lived Ray Train run that serves many runs.

A Tune actor (`Slot`) pays the start-up of its TorchTrainer once: it hands runs to the workers through a mailbox, and
their reports to Tune. All workers wait at each report for Tune's decision, so a stopped run trains no step more.
"""

import asyncio
import threading
import uuid
from typing import TYPE_CHECKING, Any

import ray
import ray.train
from ray import tune
from ray.train.torch import TorchConfig, TorchTrainer

from contrastive.distributed import current_world
from sweeps.backend.trainable import RETRIES
from sweeps.backend.worker import ENDINGS, Places, work

if TYPE_CHECKING:  # the workers know no plan, and need not import the named spaces
    from sweeps.planning.plan import Plan

POLL_SECONDS = 1.0
"""Seconds between two checks, by a slot that waits for a report, that its workers are alive."""


class Stopped(BaseException):
    """Tune has ended the run; not an Exception, because it is no failure."""


class Mailbox:
    """Ray actor that passes runs to workers, their results to Tune and Tune's decisions back, keyed by epoch."""

    def __init__(self) -> None:
        self.changed = asyncio.Condition()
        self.job: tuple[int, dict[str, Any]] | None = None
        self.finished = 0
        self.results: asyncio.Queue[tuple[int, dict[str, Any]]] = asyncio.Queue()
        self.seen: set[int | str] = set()
        self.answers: dict[int | str, bool] = {}
        self.taken = 0

    async def submit(self, run: dict[str, Any]) -> None:
        """Hand all workers the next run."""
        async with self.changed:
            number = self.job[0] + 1 if self.job else 1
            self.job, self.finished = (number, run), number - 1
            self.results, self.seen, self.answers, self.taken = asyncio.Queue(), set(), {}, 0
            self.changed.notify_all()

    async def take(self, rank: int, done: int) -> tuple[int, dict[str, Any]]:
        """Return the run after number `done`; an unfinished one again after the workers were restarted.

        A run whose workers have died more than `RETRIES` times is given up.
        """
        async with self.changed:
            while True:
                await self.changed.wait_for(lambda: self.job and self.job[0] > max(done, self.finished))
                assert self.job is not None
                self.taken += rank == 0
                if self.taken <= RETRIES + 1:
                    return self.job
                died = f"the workers died {RETRIES + 1} times in this run"
                self.results.put_nowait((self.job[0], {"epoch": 0, "failed": died}))
                self.finished = self.job[0]

    async def report(self, rank: int, job: int, result: dict[str, Any]) -> bool:
        """Submit a worker's result; return whether the run goes on, once that is decided.

        An epoch counts once, from rank 0; an early end counts once, from the worker on which it happened.
        """
        ended = next((word for word in ENDINGS if word in result), None)
        key = ended or result["epoch"]
        async with self.changed:
            if self.job is None or job != self.job[0]:
                return False  # of a run that was given up in the meantime
            if (rank == 0 or ended) and key not in self.seen:
                self.seen.add(key)
                self.results.put_nowait((job, result))
            await self.changed.wait_for(lambda: ended or key in self.answers or self.finished >= job)
            return bool(ended) or self.answers.get(key, False)

    async def result(self, timeout: float) -> dict[str, Any] | None:
        """Return the next result, or None if there is none in time."""
        try:
            return (await asyncio.wait_for(self.results.get(), timeout))[1]
        except TimeoutError:
            return None

    async def answer(self, epoch: int, goes_on: bool) -> None:
        """Record Tune's decision on the result of an epoch."""
        async with self.changed:
            self.answers[epoch] = goes_on
            self.changed.notify_all()

    async def finish(self) -> None:
        """End the run for all workers, whatever they are doing."""
        async with self.changed:
            self.finished = self.job[0] if self.job else 0
            self.changed.notify_all()


def serve(config: dict[str, Any]) -> None:
    """Train run after run until the process is killed, as Ray Train's training function."""
    mailbox, places, world = config["mailbox"], config["places"], current_world()
    done = 0
    while True:
        done, run = ray.get(mailbox.take.remote(world.rank, done))

        def tell(result: dict[str, Any], job: int = done) -> None:
            if not ray.get(mailbox.report.remote(world.rank, job, result)):
                raise Stopped

        try:
            failed = work(run, places, tell, world)
        except Stopped:
            continue
        if failed:
            # The other workers may wait in a collective for this one: only a new group gets them out.
            raise RuntimeError("a run failed; starting the workers anew")


class Slot(tune.Trainable):
    """Tune trainable whose epochs are trained by the workers of one Ray Train run."""

    def setup(  # pyright: ignore[reportIncompatibleMethodOverride] - as tune.with_parameters calls it
        self, config: dict[str, Any], plan: "Plan", places: Places, scratch: str
    ) -> None:
        """Start the workers, once per actor."""
        self.plan, self.places, self.scratch = plan, places, scratch
        # Two calls of each worker and one of the slot may wait in it at once.
        actor: Any = ray.remote(Mailbox).options(num_cpus=0, max_concurrency=2 * plan.workers_per_run + 8)
        self.mailbox = actor.remote()
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._train, daemon=True)
        self.thread.start()
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Hand the workers another run; the previous one, if Tune stopped it, ends at its last report."""
        ray.get(self.mailbox.finish.remote())
        self.waiting: int | None = None
        ray.get(self.mailbox.submit.remote(new_config))
        return True

    def step(self) -> dict[str, Any]:
        """Train one epoch: release the workers from the last report and wait for the next."""
        if self.waiting is not None:
            ray.get(self.mailbox.answer.remote(self.waiting, True))
        result: dict[str, Any] | None = None
        while result is None:
            result = ray.get(self.mailbox.result.remote(POLL_SECONDS))
            if result is None and not self.thread.is_alive():
                raise RuntimeError(f"the workers of this slot died: {self.error!r}")
        self.waiting = result["epoch"]
        done = any(word in result for word in ENDINGS) or result["epoch"] >= self.config["config"]["epochs"]
        if done:
            ray.get(self.mailbox.finish.remote())
        return {**result, "done": done}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Do nothing: the run keeps its own checkpoint, which outlives this actor."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Do nothing: the run finds its own checkpoint."""

    def cleanup(self) -> None:
        """Release the workers; they end with this actor, which owns them."""
        ray.kill(self.mailbox)

    def _train(self) -> None:
        gpus = {"GPU": self.plan.gpus_per_worker} if self.plan.gpus_per_worker else {}
        trainer = TorchTrainer(
            serve,
            train_loop_config={"mailbox": self.mailbox, "places": self.places},
            torch_config=TorchConfig(backend="nccl" if gpus else "gloo"),
            scaling_config=ray.train.ScalingConfig(
                num_workers=self.plan.workers_per_run,
                use_gpu=bool(gpus),
                resources_per_worker={"CPU": 1, **gpus},
            ),
            run_config=ray.train.RunConfig(
                name=f"slot-{uuid.uuid4().hex[:8]}",
                storage_path=self.scratch,
                failure_config=ray.train.FailureConfig(max_failures=-1, controller_failure_limit=3),
            ),
        )
        try:
            trainer.fit()
        except BaseException as error:
            self.error = error
