"""The engine asks many at once, retries what is worth it, stores first, and keeps the order of the prompts."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from stored_answers import answers_by_state

from genre.errors import RunError
from genre.generation.engine import Answered, Engine
from genre.generation.keys import answer_key
from genre.generation.limits import Limits
from genre.generation.routing import Routing
from genre.generation.store import AnswerStore
from genre.parts import (
    AnswersStored,
    Completion,
    Fatal,
    Identity,
    Message,
    Prompt,
    RateLimited,
    Refused,
    Sampling,
    Skipped,
    Transient,
    Usage,
)

FAST = Limits(concurrency=4, attempts=3, backoff=0.001, longest_backoff=0.002, patience=0.05)


def prompt(number: int, text: str | None = None) -> Prompt:
    messages = (Message("user", text or f"question {number}"),)
    return Prompt(task="t", subject=f"S{number}", draw=0, messages=messages, sampling=Sampling(max_tokens=5))


class Scripted:
    """A generator whose calls do what `script(prompt, attempt)` says: a text to answer, an error to raise."""

    identity = Identity(model="scripted", endpoint="here")

    def __init__(self, script: Callable[[Prompt, int], str | Exception]) -> None:
        self._script = script
        self.calls: Counter[str] = Counter()
        self.in_flight = 0
        self.most_in_flight = 0

    async def complete(self, prompt: Prompt) -> Completion:
        self.calls[prompt.subject] += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            # A different number of turns for each prompt, so that answers arrive out of order.
            for _ in range(int(prompt.subject[1:]) * 5 % 7):
                await asyncio.sleep(0)
            outcome = self._script(prompt, self.calls[prompt.subject])
        finally:
            self.in_flight -= 1
        if isinstance(outcome, Exception):
            raise outcome
        return Completion(text=outcome, model="scripted-1")


def ask(
    path: Path,
    generator: Scripted,
    prompts: Iterable[Prompt],
    limits: Limits = FAST,
    on_stored: Callable[[AnswersStored], None] | None = None,
) -> list[Answered]:
    async def collect() -> list[Answered]:
        engine = Engine(store, on_stored)
        return [item async for item in engine.answers(prompts, Routing.to(generator, limits, "g"))]

    store = AnswerStore(path / "answers.sqlite")
    try:
        return asyncio.run(collect())
    finally:
        store.close()


def echo(prompt: Prompt, _attempt: int) -> str:
    return prompt.messages[0].content.upper()


def test_answers_come_in_the_order_of_the_prompts(tmp_path: Path) -> None:
    answered = ask(tmp_path, Scripted(echo), map(prompt, range(700)))
    assert [item.prompt.subject for item in answered] == [f"S{number}" for number in range(700)]
    assert all(item.answer and item.answer.completion.text == echo(item.prompt, 1) for item in answered)


def test_no_more_calls_are_in_flight_than_allowed(tmp_path: Path) -> None:
    generator = Scripted(echo)
    ask(tmp_path, generator, map(prompt, range(100)))
    assert generator.most_in_flight == FAST.concurrency


def test_a_second_run_makes_no_call(tmp_path: Path) -> None:
    first = ask(tmp_path, Scripted(echo), map(prompt, range(50)))
    again = Scripted(echo)
    second = ask(tmp_path, again, map(prompt, range(50)))
    assert not again.calls
    assert all(item.reused for item in second)
    assert [item.answer for item in second] == [item.answer for item in first]


def test_one_added_prompt_costs_one_call(tmp_path: Path) -> None:
    ask(tmp_path, Scripted(echo), map(prompt, range(50)))
    again = Scripted(echo)
    ask(tmp_path, again, [prompt(99), *map(prompt, range(50))])
    assert again.calls == {"S99": 1}


def test_equal_questions_about_two_subjects_are_asked_once(tmp_path: Path) -> None:
    generator = Scripted(echo)
    answered = ask(tmp_path, generator, [prompt(1, "same"), prompt(2, "same")])
    assert generator.calls.total() == 1
    assert [item.prompt.subject for item in answered] == ["S1", "S2"]


def test_an_answer_is_on_disk_before_it_is_handed_out(tmp_path: Path) -> None:
    async def look() -> None:
        engine = Engine(store)
        async for item in engine.answers(map(prompt, range(20)), Routing.to(generator, FAST, "g")):
            key = answer_key(item.prompt, generator.identity)
            assert key in AnswerStore(tmp_path / "answers.sqlite").look_up([key])

    generator = Scripted(echo)
    store = AnswerStore(tmp_path / "answers.sqlite")
    asyncio.run(look())


def test_a_transient_error_is_tried_again_and_uses_up_attempts(tmp_path: Path) -> None:
    generator = Scripted(lambda _, attempt: Transient("busy") if attempt < 3 else "at last")
    [item] = ask(tmp_path, generator, [prompt(1)])
    assert item.answer is not None
    assert (item.answer.state, item.answer.completion.text, generator.calls["S1"]) == ("ok", "at last", 3)


def test_after_the_last_attempt_a_call_is_failed_with_its_reason_and_asked_again_by_the_next_run(
    tmp_path: Path,
) -> None:
    [item] = ask(tmp_path, Scripted(lambda *_: Transient("connection dropped")), [prompt(1)])
    assert item.answer is not None
    assert (item.answer.state, item.answer.completion.text) == ("failed", "connection dropped")
    [later] = ask(tmp_path, Scripted(echo), [prompt(1)])
    assert later.answer is not None
    assert later.answer.state == "ok"


def test_rate_limits_use_up_no_attempt(tmp_path: Path) -> None:
    generator = Scripted(lambda _, attempt: RateLimited("slow down", 0.001) if attempt < 9 else "now")
    [item] = ask(tmp_path, generator, [prompt(1)])
    assert item.answer is not None
    assert item.answer.state == "ok"


def test_a_generator_that_gives_nothing_but_rate_limits_is_declared_down(tmp_path: Path) -> None:
    generator = Scripted(lambda *_: RateLimited("slow down"))
    with pytest.raises(RunError, match="nothing but rate limits"):
        ask(tmp_path, generator, [prompt(1)])


def test_a_refused_prompt_is_stored_and_never_asked_again(tmp_path: Path) -> None:
    def picky(prompt: Prompt, attempt: int) -> str | Exception:
        return Refused("content filter") if prompt.subject == "S1" else echo(prompt, attempt)

    states = [item.answer.state for item in ask(tmp_path, Scripted(picky), map(prompt, range(3))) if item.answer]
    assert states == ["ok", "refused", "ok"]
    again = Scripted(echo)
    ask(tmp_path, again, map(prompt, range(3)))
    assert not again.calls


def test_a_skipped_prompt_has_no_answer_and_is_not_stored(tmp_path: Path) -> None:
    [item] = ask(tmp_path, Scripted(lambda *_: Skipped("not recorded")), [prompt(1)])
    assert item.answer is None
    assert answers_by_state(AnswerStore(tmp_path / "answers.sqlite")) == {}


def test_a_fatal_error_stops_the_run_at_once_and_keeps_what_was_answered(tmp_path: Path) -> None:
    def locked_out(prompt: Prompt, attempt: int) -> str | Exception:
        return Fatal("the key is wrong") if prompt.subject == "S5" else echo(prompt, attempt)

    generator = Scripted(locked_out)
    with pytest.raises(RunError, match="'g' cannot go on: the key is wrong"):
        ask(tmp_path, generator, map(prompt, range(10_000)))
    assert generator.calls.total() < 600
    assert answers_by_state(AnswerStore(tmp_path / "answers.sqlite"))["ok"] >= 1


def test_an_error_that_breaks_the_contract_names_the_generator(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"'g' raised KeyError\('choices'\)"):
        ask(tmp_path, Scripted(lambda *_: KeyError("choices")), [prompt(1)])


def test_prompts_are_read_a_bounded_number_ahead(tmp_path: Path) -> None:
    read = 0

    def many() -> Iterator[Prompt]:
        nonlocal read
        for number in range(100_000):
            read += 1
            yield prompt(number)

    async def take_one() -> None:
        answers = Engine(store).answers(many(), Routing.to(Scripted(echo), FAST, "g"))
        async for _ in answers:
            break
        await answers.aclose()

    store = AnswerStore(tmp_path / "answers.sqlite")
    asyncio.run(take_one())
    assert read <= 1_024


def test_each_group_commit_is_told_once_with_its_size(tmp_path: Path) -> None:
    events: list[AnswersStored] = []
    ask(tmp_path, Scripted(echo), map(prompt, range(300)), on_stored=events.append)
    assert sum(event.count for event in events) == 300
    assert len(events) < 300
    assert {(event.task, event.generator) for event in events} == {("t", "g")}


def test_an_equal_question_counts_as_reused(tmp_path: Path) -> None:
    answered = ask(tmp_path, Scripted(echo), [prompt(1, "same"), prompt(2, "same")])
    assert [item.reused for item in answered] == [False, True]


def test_a_listener_that_raises_stops_the_run_with_its_error(tmp_path: Path) -> None:
    def listen(_event: AnswersStored) -> None:
        raise ValueError("boom")

    with pytest.raises(RunError, match=r"listener of stored answers failed: ValueError\('boom'\)"):
        ask(tmp_path, Scripted(echo), map(prompt, range(100)), on_stored=listen)
    assert answers_by_state(AnswerStore(tmp_path / "answers.sqlite"))["ok"] >= 1


class Hostile(Scripted):
    """A server that says of itself what no database can hold."""

    async def complete(self, prompt: Prompt) -> Completion:
        await super().complete(prompt)
        return Completion(text="fine", model="m\ud800", usage=Usage(prompt_tokens=2**70, completion_tokens=-1))


def test_a_model_name_and_usage_that_cannot_be_stored_hang_nothing(tmp_path: Path) -> None:
    ask(tmp_path, Hostile(echo), map(prompt, range(20)))
    [again, *_] = ask(tmp_path, Scripted(echo), map(prompt, range(20)))
    assert again.answer is not None
    assert again.answer.completion == Completion("fine", "m\\ud800")


def test_skipped_and_stored_answers_that_end_together_do_not_stop_the_reading(tmp_path: Path) -> None:
    def every_other(prompt: Prompt, attempt: int) -> str | Exception:
        return Skipped("none") if int(prompt.subject[1:]) % 2 else echo(prompt, attempt)

    limits = Limits(concurrency=1)
    answered = ask(tmp_path, Scripted(every_other), map(prompt, range(512)), limits)
    assert sum(item.answer is None for item in answered) == 256


def test_a_fatal_error_is_told_while_an_earlier_call_is_still_under_way(tmp_path: Path) -> None:
    class SlowFirst(Scripted):
        async def complete(self, prompt: Prompt) -> Completion:
            if prompt.subject == "S0":
                await asyncio.Event().wait()
            return await super().complete(prompt)

    generator = SlowFirst(lambda *_: Fatal("the key is wrong"))
    with pytest.raises(RunError, match="the key is wrong"):
        ask(tmp_path, generator, map(prompt, range(10)))
