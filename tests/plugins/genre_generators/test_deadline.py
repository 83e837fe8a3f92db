"""Calls that share a time limit run out each at its own time, and only by it."""

import asyncio
import time

import pytest

from genre_generators.deadline import Deadline


async def outcome(deadline: Deadline, wait: float) -> str:
    try:
        with deadline.call():
            await asyncio.sleep(wait)
    except TimeoutError:
        return "late"
    return "in time"


def test_a_call_that_takes_too_long_raises_timeout_error_and_the_others_go_on() -> None:
    async def calls() -> list[str]:
        deadline = Deadline(0.5)
        first = asyncio.gather(*(outcome(deadline, wait) for wait in (0.0, 60.0, 0.0)))
        await asyncio.sleep(0)
        return [*await first, *await asyncio.gather(outcome(deadline, 0.0), outcome(deadline, 60.0))]

    assert asyncio.run(calls()) == ["in time", "late", "in time", "in time", "late"]


def test_each_call_has_its_own_seconds() -> None:
    async def call(deadline: Deadline, start: float) -> float:
        await asyncio.sleep(start)
        begun = time.monotonic()
        assert await outcome(deadline, 10.0) == "late"
        return time.monotonic() - begun

    async def calls() -> list[float]:
        deadline = Deadline(0.2)
        return await asyncio.gather(*(call(deadline, start) for start in (0.0, 0.1, 0.15)))

    assert all(seconds >= 0.19 for seconds in asyncio.run(calls()))


def test_a_cancellation_from_elsewhere_stays_one() -> None:
    async def call() -> bool:
        task = asyncio.create_task(outcome(Deadline(10.0), 10.0))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(call())


def test_a_late_call_that_is_cancelled_from_elsewhere_as_well_is_cancelled() -> None:
    async def call() -> bool:
        task = asyncio.create_task(outcome(Deadline(0.01), 10.0))
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(0.01, task.cancel)
        while not task.cancelling():
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(call())


def test_an_error_of_the_call_s_own_passes() -> None:
    async def call() -> None:
        with Deadline(1.0).call():
            raise KeyError("mine")

    with pytest.raises(KeyError):
        asyncio.run(call())
