"""Money is set aside before a call, and what is spent never exceeds the budget."""

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genre.errors import RunError, UsageError
from genre.generation.budget import Budget, actual_cost, most_tokens, parse_budget, worst_case
from genre.parts import Completion, Message, Price, Prompt, Sampling, Usage


def prompt(content: str = "héllo", max_tokens: int = 10) -> Prompt:
    return Prompt("task", "subject", 0, (Message("user", content),), Sampling(max_tokens=max_tokens))


@pytest.mark.parametrize(("text", "amount"), [("25usd", 25.0), ("0.5 USD", 0.5), ("3", 3.0), ("$1.25", 1.25)])
def test_a_budget_is_read(text: str, amount: float) -> None:
    assert parse_budget(text) == amount


@pytest.mark.parametrize("text", ["", "usd", "-1usd", "25eur", "1e9", "nan", "1,000usd"])
def test_what_is_no_amount_is_an_error_that_says_how_to_write_one(text: str) -> None:
    with pytest.raises(UsageError, match="25usd"):
        parse_budget(text)


def test_a_prompt_s_tokens_are_bounded_by_its_bytes() -> None:
    asked, answered = most_tokens(prompt("héllo", 10))
    assert asked >= len("héllo".encode())
    assert answered == 10


def test_a_call_costs_what_its_tokens_cost_and_is_unknown_without_them() -> None:
    price = Price(prompt=1.0, completion=2.0)
    known = Completion("x", "m", usage=Usage(1_000_000, 500_000))
    assert actual_cost(known, price) == pytest.approx(2.0)
    assert actual_cost(Completion("x", "m"), price) is None
    assert actual_cost(known, None) is None
    assert worst_case(prompt(), price) >= 0.0


def test_what_is_free_costs_nothing_however_many_tokens_it_has() -> None:
    assert actual_cost(Completion("x", "m"), Price(0.0, 0.0)) == 0.0


@given(st.lists(st.tuples(st.floats(0.01, 0.5), st.floats(0, 1)), min_size=1, max_size=60), st.integers(0, 2**32))
def test_calls_that_settle_in_any_order_never_spend_more_than_the_budget(
    calls: list[tuple[float, float]], seed: int
) -> None:
    """`calls`: the worst case of each, and the share of it that it turns out to cost."""
    order = random.Random(seed)

    async def play() -> Budget:
        budget = Budget(limit=1.0)

        async def call(worst: float, share: float) -> None:
            await budget.reserve(worst)
            assert budget.spent + budget.reserved <= 1.0 + 1e-9
            for _ in range(order.randrange(3)):
                await asyncio.sleep(0)
            budget.settle(worst, worst * share)

        await asyncio.gather(*(call(*each) for each in calls), return_exceptions=True)
        return budget

    budget = asyncio.run(play())
    assert budget.spent <= 1.0 + 1e-9
    assert budget.reserved == 0.0


def test_a_budget_that_does_not_cover_a_call_says_what_is_spent_and_how_to_go_on() -> None:
    budget = Budget(limit=0.1)
    with pytest.raises(RunError, match=r"0\.1 USD[\s\S]*--budget for the rest"):
        asyncio.run(budget.reserve(0.2))


def test_a_budget_ends_after_thousands_of_calls_in_flight_and_waits_for_nobody() -> None:
    """Sums and differences of that many floats leave something; seed 5 left 7e-11 USD."""
    order = random.Random(5)

    async def play() -> None:
        budget = Budget(limit=10_000.0)
        in_flight: list[float] = []
        for _ in range(60_000):
            if len(in_flight) == 10_000:
                for worst in in_flight[:5_000]:
                    budget.settle(worst, 0.0)
                del in_flight[:5_000]
            in_flight.append(order.uniform(0.001, 0.5))
            await budget.reserve(in_flight[-1])
        for worst in in_flight:
            budget.settle(worst, 0.0)
        await asyncio.wait_for(budget.reserve(10_000.1), timeout=10)

    with pytest.raises(RunError, match="does not cover"):
        asyncio.run(play())


def test_tokens_below_zero_are_no_count_and_lower_nothing() -> None:
    completion = Completion("x", "m", usage=Usage(-1_000_000, 5))
    assert actual_cost(completion, Price(1.0, 1.0)) is None
