"""Ray that starts in the background: who waits for it, who ends it, and in which thread."""

import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress

import pytest

from sweeps.backend import own
from sweeps.backend.cluster import StartError
from sweeps.backend.own import OwnCluster
from sweeps.planning import plan as plans
from sweeps.planning.plan import Plan
from tests.fixtures.tiny_space import TINY

PLAN = plans.checked(space=TINY, arms=2)


class Ray:
    """Stands for it: what was done, and by which threads; it starts once `may_start` is set."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.threads: set[int] = set()
        self.may_start = threading.Event()

    @contextmanager
    def cluster(self, plan: Plan, address: str | None) -> Generator[None]:
        assert self.may_start.wait(10)
        self.threads.add(threading.get_ident())
        self.done.append("started")
        try:
            yield
        finally:
            self.threads.add(threading.get_ident())
            self.done.append("ended")


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> Ray:
    found = Ray()
    monkeypatch.setattr(own, "cluster", found.cluster)
    return found


def test_it_starts_while_the_driver_goes_on_and_once(ray: Ray) -> None:
    with OwnCluster(PLAN) as cluster:
        cluster.prepare()
        assert ray.done == []  # and yet we are here
        ray.may_start.set()
        cluster.prepare()
        with cluster():
            assert ray.done == ["started"]
    assert ray.done == ["started", "ended"]


def test_the_thread_that_starts_it_ends_it_and_is_not_the_drivers(ray: Ray) -> None:
    ray.may_start.set()
    with OwnCluster(PLAN) as cluster, cluster():
        pass
    assert len(ray.threads) == 1
    assert threading.get_ident() not in ray.threads


def test_what_was_prepared_and_is_not_needed_is_ended(ray: Ray) -> None:
    ray.may_start.set()
    with suppress(ValueError), OwnCluster(PLAN) as cluster:
        cluster.prepare()
        raise ValueError("refused after all")
    assert ray.done == ["started", "ended"]


def test_nothing_is_started_that_nobody_asks_for(ray: Ray) -> None:
    with OwnCluster(PLAN):
        pass
    assert ray.done == []


def test_what_fails_in_the_background_is_told_where_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def failing(plan: Plan, address: str | None) -> Generator[None]:
        raise StartError("Ray could not be started")
        yield

    monkeypatch.setattr(own, "cluster", failing)
    with OwnCluster(PLAN) as cluster:
        cluster.prepare()
        with pytest.raises(StartError), cluster():
            pass
