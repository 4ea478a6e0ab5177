"""The mailbox of a slot, driven by hand: what a slot and its workers may do to each other."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from sweeps.backend.slot import Mailbox


def play(scene: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scene, timeout=10))


def epoch(number: int) -> dict[str, Any]:
    return {"epoch": number}


def test_all_workers_wait_for_the_decision_and_one_result_is_told() -> None:
    async def scene() -> None:
        box = Mailbox()
        await box.submit({"config": "a"})
        job, run = await box.take(0, 0)
        assert run == {"config": "a"}
        workers = [asyncio.create_task(box.report(rank, job, epoch(1))) for rank in (1, 0)]
        assert await box.result(timeout=1) == epoch(1)
        assert await box.result(timeout=0.01) is None
        assert not any(worker.done() for worker in workers)
        await box.answer(1, True)
        assert await asyncio.gather(*workers) == [True, True]

    play(scene())


def test_a_stopped_run_ends_at_its_report_and_the_next_one_follows() -> None:
    async def scene() -> None:
        box = Mailbox()
        await box.submit({"config": "a"})
        job, _ = await box.take(0, 0)
        workers = [asyncio.create_task(box.report(rank, job, epoch(1))) for rank in (0, 1)]
        await box.result(timeout=1)
        await box.finish()
        assert await asyncio.gather(*workers) == [False, False]
        waiting = asyncio.create_task(box.take(0, job))
        await box.submit({"config": "b"})
        assert (await waiting)[1] == {"config": "b"}

    play(scene())


def test_restarted_workers_get_the_unfinished_run_again_and_no_epoch_is_told_twice() -> None:
    async def scene() -> None:
        box = Mailbox()
        await box.submit({"config": "a"})
        job, _ = await box.take(0, 0)
        first = asyncio.create_task(box.report(0, job, epoch(1)))
        await box.result(timeout=1)
        await box.answer(1, True)
        assert await first
        again, run = await box.take(0, 0)
        assert (again, run) == (job, {"config": "a"})
        assert await box.report(0, again, epoch(1))  # shown once more after the restart: answered at once
        assert await box.result(timeout=0.01) is None

    play(scene())


def test_a_failure_of_any_worker_is_told_once_and_holds_nobody_up() -> None:
    async def scene() -> None:
        box = Mailbox()
        await box.submit({"config": "a"})
        job, _ = await box.take(0, 0)
        stuck = asyncio.create_task(box.report(0, job, epoch(1)))
        await box.result(timeout=1)
        failure = {"epoch": 1, "failed": "Traceback"}
        assert await box.report(1, job, failure)
        assert await box.report(0, job, failure)
        assert await box.result(timeout=1) == failure
        assert await box.result(timeout=0.01) is None
        await box.finish()
        assert await stuck is False
        nothing = asyncio.create_task(box.take(0, 0))
        await asyncio.sleep(0.05)
        assert not nothing.done()  # a finished run is never handed out again
        nothing.cancel()

    play(scene())


def test_what_is_left_of_a_run_is_not_told_as_the_next_ones() -> None:
    async def scene() -> None:
        box = Mailbox()
        await box.submit({"config": "a"})
        old, _ = await box.take(0, 0)
        await box.finish()
        await box.submit({"config": "b"})
        assert not await box.report(0, old, {"epoch": 3, "failed": "connection closed"})
        assert await box.result(timeout=0.01) is None

    play(scene())


def test_a_run_that_kills_its_workers_again_and_again_is_given_up() -> None:
    async def scene() -> None:
        box = Mailbox()
        await box.submit({"config": "a"})
        for _ in range(3):
            assert (await box.take(0, 0))[1] == {"config": "a"}
        given_up = asyncio.create_task(box.take(0, 0))
        result = await box.result(timeout=1)
        assert result is not None
        assert "the workers died 3 times" in result["failed"]
        await box.submit({"config": "b"})
        assert (await given_up)[1] == {"config": "b"}

    play(scene())
