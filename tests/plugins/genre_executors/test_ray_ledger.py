"""Workers spend what they were lent, and all of them together never more than there is."""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable

import pytest

from genre.errors import RunError
from genre_executors import ray_ledger
from genre_executors.ray_ledger import Grant, LeasedBudget, Ledger


def worker(ledger: Ledger, name: str, limit: float = 0.0) -> LeasedBudget:
    """A worker's budget, leased from this ledger without a network in between."""

    async def lease(spent: float, unused: float, amount: float) -> Grant:
        await asyncio.sleep(0)
        ledger.report(name, spent, unused)
        return await ledger.lease(name, amount), ledger.limit, ledger.spent

    return LeasedBudget(limit=limit, lease=lease)


def beat(ledger: Ledger, name: str, budget: LeasedBudget) -> None:
    ledger.report(name, *budget.report(keep=not ledger.is_scarce))


async def beating(ledger: Ledger, workers: dict[str, LeasedBudget], *work: Awaitable[None]) -> None:
    """Do the work while every worker tells the ledger how it is, again and again."""

    async def beat_on() -> None:
        while True:
            for name, budget in workers.items():
                beat(ledger, name, budget)
            await asyncio.sleep(0)

    telling = asyncio.create_task(beat_on())
    await asyncio.gather(*work)
    telling.cancel()
    for name, budget in workers.items():
        ledger.report(name, *budget.report())


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 60))  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(5))
def test_many_workers_spend_nearly_all_and_never_more(seed: int) -> None:
    """Each call may cost 1 and costs less; at the end the next call's worst case is not covered."""
    chance = random.Random(seed)
    ledger = Ledger(limit=50.0, spent=3.0)
    workers = {str(number): worker(ledger, str(number)) for number in range(3)}
    spent = [3.0]

    async def call(budget: LeasedBudget) -> None:
        await budget.reserve(1.0)
        for _ in range(chance.randrange(5)):
            await asyncio.sleep(0)
        cost = chance.uniform(0.05, 1.0)
        spent[0] += cost
        assert spent[0] <= ledger.limit
        budget.settle(1.0, cost)

    async def go_on(budget: LeasedBudget) -> None:
        while True:
            for outcome in await asyncio.gather(*(call(budget) for _ in range(4)), return_exceptions=True):
                if outcome is not None:
                    raise outcome

    async def work(name: str) -> None:
        with pytest.raises(RunError, match="budget of 50 USD does not cover the next call"):
            await go_on(workers[name])

    async def scenario() -> None:
        await beating(ledger, workers, *map(work, workers))

    run(scenario)
    assert 49.0 <= spent[0] <= 50.0
    assert ledger.spent == pytest.approx(spent[0])
    assert ledger.committed == pytest.approx(spent[0])


def test_money_is_lent_in_portions_while_there_is_plenty() -> None:
    ledger = Ledger(limit=1000.0, spent=0.0)
    asked = []

    async def scenario() -> None:
        budget = worker(ledger, "a")
        budget.lease = counted(budget.lease)
        for _ in range(32):
            await budget.reserve(1.0)
            budget.settle(1.0, 1.0)

    def counted(lease: ray_ledger.Lease) -> ray_ledger.Lease:
        def ask(spent: float, unused: float, amount: float) -> Awaitable[Grant]:
            asked.append(amount)
            return lease(spent, unused, amount)

        return ask

    run(scenario)
    assert len(asked) == 1


def test_a_worker_without_money_waits_for_what_others_give_back() -> None:
    ledger = Ledger(limit=2.0, spent=0.0)
    one, other = worker(ledger, "one"), worker(ledger, "other")

    async def scenario() -> None:
        await one.reserve(1.5)
        waiting = asyncio.create_task(other.reserve(1.0))
        while not ledger.is_scarce:
            await asyncio.sleep(0)
        assert not waiting.done()
        one.settle(1.5, 0.25)
        beat(ledger, "one", one)
        await waiting

    run(scenario)
    assert ledger.spent == 0.25
    assert 1.25 <= ledger.committed <= 2.0


def test_what_a_lost_worker_holds_counts_as_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_ledger, "LOST_AFTER", 0.001)
    ledger = Ledger(limit=3.0, spent=0.0)
    lost, other = worker(ledger, "lost"), worker(ledger, "other")

    async def scenario() -> None:
        await lost.reserve(2.0)
        with pytest.raises(RunError, match="does not cover"):
            await other.reserve(2.0)

    run(scenario)
    assert ledger.spent == 2.0


def test_without_a_budget_nothing_is_leased_and_what_is_spent_is_told() -> None:
    ledger = Ledger(limit=math.inf, spent=0.0)
    budget = worker(ledger, "a", limit=math.inf)

    async def scenario() -> None:
        await budget.reserve(5.0)
        budget.settle(0.0, 0.5)
        beat(ledger, "a", budget)

    run(scenario)
    assert not budget.is_limited
    assert ledger.spent == 0.5
