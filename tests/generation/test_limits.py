"""When calls may begin, with a clock of the test's own."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genre.generation.limits import Bucket, Limits, Pace


class Clock:
    """Time as the test says."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@given(
    st.floats(0.1, 50),
    st.lists(st.tuples(st.floats(0, 5), st.floats(0.01, 20)), min_size=1, max_size=40),
)
def test_a_bucket_never_gives_more_than_its_rate_and_one_second_s_worth(
    rate: float, requests: list[tuple[float, float]]
) -> None:
    clock = Clock()
    bucket = Bucket(rate, clock)
    used = []
    for pause, amount in requests:
        clock.now += pause
        used.append((clock.now + bucket.take(amount), amount))
    largest = max(*(amount for _, amount in used), rate, 1.0)
    for start, _ in used:
        within = sum(amount for moment, amount in used if start <= moment <= start + 10)
        assert within <= rate * 10 + 2 * largest + 1e-6


def test_a_bucket_that_was_left_alone_is_full_and_no_fuller() -> None:
    clock = Clock()
    bucket = Bucket(2.0, clock)
    clock.now += 1000
    assert [bucket.take(1) for _ in range(4)] == [0.0, 0.0, 0.5, 1.0]


def test_half_as_many_calls_are_in_flight_after_a_rate_limit_and_one_more_a_round_after_that() -> None:
    clock = Clock()
    pace = Pace(Limits(concurrency=16), clock)
    pace.limited(0.5)
    assert pace.allowed == 8
    clock.now += 1
    for _ in range(8):
        pace.succeeded(0.1)
    assert pace.allowed == 9


def test_limits_that_are_met_together_count_once() -> None:
    pace = Pace(Limits(concurrency=16), Clock())
    for _ in range(10):
        pace.limited(0.5)
    assert pace.allowed == 8


def test_answers_that_take_far_longer_than_the_quickest_show_an_overloaded_server() -> None:
    pace = Pace(Limits(concurrency=20, slow_down_at=4), Clock())
    for _ in range(20):
        pace.succeeded(0.1)
    assert pace.allowed == 20
    for _ in range(20):
        pace.succeeded(1.0)
    assert pace.allowed == 18


@pytest.mark.parametrize("quick", [[0.1], [0.001] * 20])
def test_one_quick_answer_and_noise_show_nothing(quick: list[float]) -> None:
    pace = Pace(Limits(concurrency=20, slow_down_at=4), Clock())
    usual = 1.0 if len(quick) == 1 else 0.07
    for seconds in [*quick, *[usual] * 60]:
        pace.succeeded(seconds)
    assert pace.allowed == 20


def test_a_generator_has_calls_at_hand_only_while_the_server_follows() -> None:
    async def entered(pace: Pace) -> int:
        calls = [asyncio.create_task(pace.enter()) for _ in range(30)]
        await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        return pace.in_flight

    async def play() -> list[int]:
        follows, limited = (Pace(Limits(concurrency=16), Clock(), ahead=2) for _ in range(2))
        limited.limited(0.5)
        return [await entered(follows), await entered(limited)]

    assert asyncio.run(play()) == [18, 8]


def test_it_never_falls_below_one_call() -> None:
    clock = Clock()
    pace = Pace(Limits(concurrency=4), clock)
    for _ in range(20):
        pace.limited(0.1)
        clock.now += 1
    assert pace.allowed == 1


def test_a_place_is_given_to_whoever_waits_and_a_cancelled_one_takes_none() -> None:
    async def play() -> list[str]:
        pace = Pace(Limits(concurrency=1))
        told: list[str] = []

        async def call(name: str) -> None:
            await pace.enter()
            told.append(name)
            await asyncio.sleep(0)
            pace.leave()

        await pace.enter()
        tasks = [asyncio.create_task(call(name)) for name in "abc"]
        await asyncio.sleep(0)
        tasks[0].cancel()
        pace.leave()
        await asyncio.gather(*tasks, return_exceptions=True)
        return told

    assert asyncio.run(play()) == ["b", "c"]


def test_the_rate_that_a_server_was_seen_to_take_is_kept_to_after_a_limit() -> None:
    clock = Clock()
    pace = Pace(Limits(concurrency=64), clock)
    for _ in range(20):
        pace.succeeded(0.05)
    for _ in range(3):
        pace.limited(0.0)
    assert pace._learned is not None
    assert pace._learned.rate == pytest.approx(14.0)
    clock.now += 2
    pace.succeeded(0.05)
    assert 14.0 < pace._learned.rate < 15.0


def test_a_single_limit_among_many_answers_pauses_and_slows_nothing_down() -> None:
    clock = Clock()
    pace = Pace(Limits(concurrency=64), clock)
    for _ in range(50):
        for _ in range(19):
            pace.succeeded(0.05)
        pace.limited(0.01)
        clock.now += 0.2
    assert pace._learned is None
    assert pace.allowed == 64


def test_a_rate_that_fell_too_low_rises_faster_each_second() -> None:
    clock = Clock()
    pace = Pace(Limits(concurrency=64), clock)
    pace.succeeded(0.05)
    pace.limited(0.0)
    assert pace._learned is not None
    rates = []
    for _ in range(20):
        clock.now += 1
        pace.succeeded(0.05)
        rates.append(pace._learned.rate)
    assert rates[0] < 1.2
    assert rates[-1] > 100


@pytest.mark.parametrize(("a_minute", "begun"), [(None, 28.0), (600.0, 10.0)])
def test_the_rate_that_limits_taught_is_what_is_begun(a_minute: float | None, begun: float) -> None:
    clock = Clock()
    pace = Pace(Limits(concurrency=16, requests_per_minute=a_minute), clock)
    for _ in range(40):
        pace.succeeded(0.1)
    assert pace.learned_rate is None
    assert [pace.limited(0.5) for _ in range(5)] == [False] * 4 + [True]  # a tenth of all calls
    assert pace.learned_rate == pytest.approx(begun)
