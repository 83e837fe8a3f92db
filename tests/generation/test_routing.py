"""Several generators for one round, under one budget."""

import asyncio
import collections
import itertools
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

import attrs
import pytest
from stored_answers import answers_by_state

from genre.errors import RunError
from genre.generation import AnswerStore, Budget, Engine, Limits, Routing
from genre.generation.budget import worst_case
from genre.generation.engine import Answered
from genre.parts import (
    Completion,
    Fatal,
    GenerationError,
    Identity,
    Message,
    Price,
    Prompt,
    RateLimited,
    Refused,
    Sampling,
    Transient,
    Usage,
)
from genre_generators.mix import Mix, MixOptions

LIMITS = Limits(concurrency=4, attempts=2, backoff=0.001, longest_backoff=0.002, patience=0.02)
Script = Callable[[int], str | GenerationError]


@attrs.define(eq=False)
class Provider:
    """Answers by a script that is given the number of the call."""

    name: str
    script: Script = lambda _: "fine"
    price: Price | None = None
    usage: Usage = Usage(10, 10)
    calls: int = 0

    @property
    def identity(self) -> Identity:
        return Identity(self.name, "test")

    async def complete(self, prompt: Prompt) -> Completion:
        self.calls += 1
        number = self.calls
        await asyncio.sleep(0)
        outcome = self.script(number)
        if isinstance(outcome, Exception):
            raise outcome
        return Completion(outcome, self.name, usage=self.usage)


def prompts(count: int, task: str = "task") -> list[Prompt]:
    return [
        Prompt(task, f"S{number}", 0, (Message("user", f"question {number}"),), Sampling(max_tokens=10))
        for number in range(count)
    ]


def mixed(*providers: Provider, **options: object) -> Routing:
    weights = {"routes": {provider.name: 1 for provider in providers}, **options}
    return Routing("mix", {provider.name: (provider, LIMITS) for provider in providers}, Mix(MixOptions(**weights)))  # type: ignore[arg-type]


def run(
    folder: Path,
    asked: Iterable[Prompt],
    routing: Routing,
    budget: Budget | None = None,
    down: list[str] | None = None,
    slowed: list[tuple[str, float | None]] | None = None,
) -> list[Answered]:
    async def collect(store: AnswerStore) -> list[Answered]:
        told = (lambda name, reason: down.append(f"{name}: {reason}")) if down is not None else None
        told_slow = (lambda name, rate: slowed.append((name, rate))) if slowed is not None else None
        engine = Engine(store, budget=budget, on_route_down=told, on_slowed=told_slow)
        return [item async for item in engine.answers(asked, routing)]

    with closing(AnswerStore(folder / "answers.sqlite")) as store:
        return asyncio.run(collect(store))


def by_model(answered: list[Answered]) -> collections.Counter[str]:
    return collections.Counter(item.answer.completion.model for item in answered if item.answer is not None)


def test_weights_share_the_prompts_and_a_second_run_calls_nobody(tmp_path: Path) -> None:
    a, b = Provider("a"), Provider("b")
    routing = mixed(a, b, routes={"a": 7, "b": 3})
    first = by_model(run(tmp_path, prompts(1000), routing))
    assert 640 < first["a"] < 760
    assert first.total() == 1000
    assert by_model(run(tmp_path, prompts(1000), routing)) == first
    assert a.calls + b.calls == 1000


def test_a_task_s_route_serves_it_alone(tmp_path: Path) -> None:
    routing = mixed(Provider("a"), Provider("b"), tasks={"profiles": "b"})
    assert by_model(run(tmp_path, prompts(20, "profiles"), routing)) == {"b": 20}


def test_the_rate_that_limits_have_lowered_is_told_at_first_and_whenever_it_has_halved(tmp_path: Path) -> None:
    limited = Provider("a", lambda call: RateLimited("too many") if 100 < call <= 120 else "fine")
    told: list[tuple[str, float | None]] = []
    assert len(run(tmp_path, prompts(110), Routing.to(limited, LIMITS, "a"), slowed=told)) == 110
    assert {name for name, _ in told} == {"a"}
    rates = [rate for _, rate in told if rate is not None]
    assert all(later <= earlier / 2 for earlier, later in itertools.pairwise(rates))
    assert all(1.0 <= rate <= 70.0 for rate in rates)  # of the hundred answers a second that were seen at most


def test_a_generator_that_refuses_from_the_start_is_told_of_once(tmp_path: Path) -> None:
    limited = Provider("a", lambda call: RateLimited("too many") if call <= 6 else "fine")
    told: list[tuple[str, float | None]] = []
    assert len(run(tmp_path, prompts(8), Routing.to(limited, LIMITS, "a"), slowed=told)) == 8
    assert told == [("a", None)]


def test_when_a_provider_dies_half_way_the_others_finish_and_its_reason_is_told_once(tmp_path: Path) -> None:
    dying = Provider("a", lambda call: "fine" if call <= 30 else Fatal("no credit left"))
    down: list[str] = []
    answered = run(tmp_path, prompts(100), mixed(dying, Provider("b")), down=down)
    models = by_model(answered)
    assert models["a"] == 30
    assert models["b"] == 70
    assert down == ["a: no credit left"]


def test_a_re_run_after_a_fall_back_pays_nothing(tmp_path: Path) -> None:
    dying, other = Provider("a", lambda _: Fatal("gone")), Provider("b")
    run(tmp_path, prompts(40), mixed(dying, other))
    well, called = Provider("a"), other.calls
    run(tmp_path, prompts(40), mixed(well, other))
    assert (well.calls, other.calls) == (0, called)


def test_a_prompt_that_one_cannot_answer_is_asked_of_the_next_in_order(tmp_path: Path) -> None:
    failing = Provider("a", lambda _: Transient("overloaded"))
    routing = mixed(failing, Provider("b"), Provider("c"), routes={"a": 1, "b": 0, "c": 0}, fall_back=("c",))
    assert by_model(run(tmp_path, prompts(5), routing)) == {"c": 5}
    assert failing.calls == 5 * LIMITS.attempts


def test_nothing_but_rate_limits_takes_a_route_out(tmp_path: Path) -> None:
    limited = Provider("a", lambda _: RateLimited("slow", retry_after=0.005))
    assert by_model(run(tmp_path, prompts(6), mixed(limited, Provider("b")))) == {"b": 6}


def test_a_provider_that_answers_nothing_any_more_is_out_after_a_while_and_is_told_once(tmp_path: Path) -> None:
    dead = Provider("a", lambda _: Transient("connection refused"))
    down: list[str] = []
    answered = run(tmp_path, prompts(400), mixed(dead, Provider("b"), routes={"a": 1, "b": 0}), down=down)
    assert by_model(answered) == {"b": 400}
    assert dead.calls < 400 * LIMITS.attempts
    [reason] = down
    assert "answered nothing for 0.02 s" in reason
    assert "connection refused" in reason


def test_a_provider_that_answers_now_and_then_is_not_out(tmp_path: Path) -> None:
    moody = Provider("a", lambda call: "fine" if call % 10 == 0 else Transient("overloaded"))
    down: list[str] = []
    answered = run(tmp_path, prompts(400), mixed(moody, Provider("b"), routes={"a": 1, "b": 0}), down=down)
    assert not down
    assert by_model(answered)["a"] > 40


def test_without_another_provider_the_run_ends_when_nothing_is_answered_any_more(tmp_path: Path) -> None:
    dead = Provider("a", lambda call: "fine" if call <= 5 else Transient("connection refused"))
    with pytest.raises(RunError, match=r"'a' cannot go on: it has answered nothing for 0\.02 s[\s\S]*server runs"):
        run(tmp_path, prompts(400), Routing.to(dead, LIMITS, "a"))
    with closing(AnswerStore(tmp_path / "answers.sqlite")) as store:
        assert answers_by_state(store)["ok"] == 5


def test_when_all_are_down_the_run_ends_with_every_reason(tmp_path: Path) -> None:
    a, b = (Provider(name, lambda _: Fatal("set the API key")) for name in ("a", "b"))
    with pytest.raises(RunError, match=r"(?=.*'a' cannot go on)(?=.*'b' cannot go on)"):
        run(tmp_path, prompts(6), mixed(a, b))
    assert a.calls + b.calls <= 2 * LIMITS.concurrency


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"routes": {"a": 0}}, "one is positive"),
        ({"routes": {"a": -1, "b": 2}}, "none is negative"),
        ({"routes": {"a": 1}, "fall_back": ("z",)}, "'z' is not among the routes"),
        ({"routes": {"a": 1}, "tasks": {"t": "z"}}, "'z' is not among the routes"),
    ],
)
def test_a_wrong_mix_is_an_error(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MixOptions(**options)  # type: ignore[arg-type]


PRICE = Price(prompt=1000.0, completion=1000.0)


def test_a_budget_stops_before_it_is_exceeded_and_keeps_what_was_answered(tmp_path: Path) -> None:
    provider = Provider("a", price=PRICE)
    budget = Budget(limit=1.0)
    with pytest.raises(RunError, match=r"budget of 1 USD"):
        run(tmp_path, prompts(500), Routing.to(provider, attrs.evolve(LIMITS, concurrency=256), "a"), budget)
    assert 0.5 < budget.spent <= 1.0
    assert budget.spent == pytest.approx(provider.calls * 20 * 1000 / 1e6)
    with closing(AnswerStore(tmp_path / "answers.sqlite")) as store:
        assert answers_by_state(store) == {"ok": provider.calls}


@pytest.mark.parametrize(
    ("error", "billed"),
    [
        (Transient("timed out", may_be_billed=True), True),
        (Refused("filtered", may_be_billed=True), True),
        (Transient("500"), False),
        (Refused("400"), False),
    ],
)
def test_a_call_that_may_have_been_paid_counts_at_its_worst(
    tmp_path: Path, error: GenerationError, billed: bool
) -> None:
    budget = Budget(limit=100.0)
    run(tmp_path, prompts(1), Routing.to(Provider("a", lambda _: error, price=PRICE), LIMITS, "a"), budget)
    assert (budget.spent > 0) is billed


def test_an_answer_without_a_count_of_tokens_is_settled_at_its_worst_and_its_cost_unknown(tmp_path: Path) -> None:
    budget = Budget(limit=100.0)
    provider = Provider("a", price=PRICE, usage=Usage())
    [item] = run(tmp_path, prompts(1), Routing.to(provider, LIMITS, "a"), budget)
    assert item.answer is not None
    assert item.answer.cost is None
    assert budget.spent > 0.07


def test_an_unknown_price_is_refused_with_a_budget_and_unknown_without(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"price of the generator 'a' is not known[\s\S]*price = "):
        run(tmp_path, prompts(1), Routing.to(Provider("a"), LIMITS, "a"), Budget(limit=1.0))
    [item] = run(tmp_path, prompts(1), Routing.to(Provider("a"), LIMITS, "a"))
    assert item.answer is not None
    assert item.answer.cost is None


def test_what_an_answer_cost_is_stored_with_it(tmp_path: Path) -> None:
    [item] = run(tmp_path, prompts(1), Routing.to(Provider("a", price=PRICE), LIMITS, "a"))
    assert item.answer is not None
    assert item.answer.cost == pytest.approx(0.02)
    [again] = run(tmp_path, prompts(1), Routing.to(Provider("a", price=PRICE), LIMITS, "a"))
    assert again.answer is not None
    assert again.answer.cost == pytest.approx(0.02)


@pytest.mark.parametrize("error", [Transient("timed out", may_be_billed=True), Refused("no", may_be_billed=True)])
def test_a_call_that_broke_off_costs_its_most_and_is_unknown_without_a_price(
    tmp_path: Path, error: GenerationError
) -> None:
    for name, price in (("priced", PRICE), ("unpriced", None)):
        [item] = run(tmp_path, prompts(1), Routing.to(Provider(name, lambda _: error, price), LIMITS, name))
        assert item.answer is not None
        assert (item.answer.cost is None) is (price is None)
        assert price is None or (item.answer.cost or 0.0) > 0.0


def test_what_a_failed_call_cost_is_kept_with_the_answer_of_a_later_run(tmp_path: Path) -> None:
    failing = Provider("a", lambda _: Transient("timed out", may_be_billed=True), PRICE)
    [failed] = run(tmp_path, prompts(1), Routing.to(failing, LIMITS, "a"))
    run(tmp_path, prompts(1), Routing.to(Provider("a", price=PRICE), LIMITS, "a"))
    [stored] = run(tmp_path, prompts(1), Routing.to(Provider("a", price=PRICE), LIMITS, "a"))
    assert failed.answer is not None
    assert stored.answer is not None
    assert stored.answer.cost == pytest.approx((failed.answer.cost or 0.0) + 0.02)


@pytest.mark.parametrize("last", ["fine", Transient("timed out", may_be_billed=True)])
def test_what_a_route_cost_that_failed_is_kept_with_the_answer_of_the_next(
    tmp_path: Path, last: str | GenerationError
) -> None:
    budget = Budget(limit=100.0)
    failing = Provider("a", lambda _: Transient("timed out", may_be_billed=True), PRICE)
    routing = mixed(failing, Provider("b", lambda _: last, PRICE), routes={"a": 1, "b": 0})
    [item] = run(tmp_path, prompts(1), routing, budget)
    assert item.answer is not None
    assert item.answer.cost == pytest.approx(budget.spent)
    assert budget.spent > 0.02


def test_what_a_route_cost_before_it_was_out_is_kept_with_the_answer_of_the_next(tmp_path: Path) -> None:
    budget = Budget(limit=100.0)
    dying = Provider(
        "a", lambda call: Transient("timed out", may_be_billed=True) if call == 1 else Fatal("no such model"), PRICE
    )
    [item] = run(tmp_path, prompts(1), mixed(dying, Provider("b", price=PRICE), routes={"a": 1, "b": 0}), budget)
    assert item.answer is not None
    assert item.answer.cost == pytest.approx(budget.spent)
    assert budget.spent > 0.02


def test_what_a_server_says_is_handed_out_as_the_store_keeps_it(tmp_path: Path) -> None:
    routing = Routing.to(Provider("a", lambda _: "half \ud83d of a character"), LIMITS, "a")
    [fresh] = run(tmp_path, prompts(1), routing)
    [stored] = run(tmp_path, prompts(1), routing)
    assert (fresh.reused, stored.reused) == (False, True)
    assert fresh.answer == stored.answer


def test_a_prompt_with_half_a_character_is_told_with_its_subject(tmp_path: Path) -> None:
    asked = [attrs.evolve(prompts(1)[0], messages=(Message("user", "\ud83d"),))]
    with pytest.raises(RunError, match=r"prompt of the task 'task' about 'S0'[\s\S]*surrogate"):
        run(tmp_path, asked, Routing.to(Provider("a"), LIMITS, "a"))


def test_a_server_that_wants_no_pause_is_not_asked_without_one(tmp_path: Path) -> None:
    hasty = Provider("a", lambda _: RateLimited("429", retry_after=0.0))
    limits = attrs.evolve(LIMITS, concurrency=1, backoff=0.02, longest_backoff=0.02, patience=0.1)
    with pytest.raises(RunError, match="nothing but rate limits"):
        run(tmp_path, prompts(1), Routing.to(hasty, limits, "a"))
    assert hasty.calls <= 12  # a tenth of a second in pauses of a hundredth at least; a slow machine makes fewer


@attrs.define(eq=False)
class Held(Provider):
    """Its first call waits until it is released."""

    begun: asyncio.Event = attrs.field(factory=asyncio.Event)
    released: asyncio.Event = attrs.field(factory=asyncio.Event)

    async def complete(self, prompt: Prompt) -> Completion:
        self.begun.set()
        await self.released.wait()
        return await super().complete(prompt)


def test_a_call_that_waits_for_money_when_the_round_ends_is_not_sent(tmp_path: Path) -> None:
    async def play(store: AnswerStore) -> Held:
        held = Held("a", price=PRICE)
        engine = Engine(store, budget=Budget(limit=1.5 * worst_case(prompts(1)[0], PRICE)))
        answers = engine.answers(prompts(2), Routing.to(held, LIMITS, "a"))
        asking = asyncio.create_task(anext(answers))
        await held.begun.wait()
        asking.cancel()
        await asyncio.sleep(0)  # the round begins to end
        held.released.set()
        await asyncio.gather(asking, return_exceptions=True)
        return held

    with closing(AnswerStore(tmp_path / "answers.sqlite")) as store:
        held = asyncio.run(play(store))
        assert held.calls == 1
        assert answers_by_state(store) == {"ok": 1}


def test_when_a_slow_route_goes_down_the_next_one_is_driven_as_hard_as_it_may_be(tmp_path: Path) -> None:
    class Counted(Provider):
        in_flight = most = 0

        async def complete(self, prompt: Prompt) -> Completion:
            self.in_flight += 1
            self.most = max(self.most, self.in_flight)
            for _ in range(50):
                await asyncio.sleep(0)
            self.in_flight -= 1
            return await super().complete(prompt)

    slow, quick = Provider("slow", lambda _: Fatal("gone")), Counted("quick")
    limits = {"slow": attrs.evolve(LIMITS, concurrency=1), "quick": attrs.evolve(LIMITS, concurrency=20)}
    mix = Mix(MixOptions(routes={"slow": 1, "quick": 0}))
    providers = {"slow": slow, "quick": quick}
    routing = Routing("mix", {name: (each, limits[name]) for name, each in providers.items()}, mix)
    assert by_model(run(tmp_path, prompts(100), routing)) == {"quick": 100}
    assert quick.most == 20
