"""Answers that arrive together are written together, and what waits to be written is bounded and never lost."""

import asyncio
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from stored_answers import answers_by_state

from genre.errors import RunError
from genre.generation import AnswerStore, Engine, Limits, Routing, commits
from genre.generation.commits import GroupCommit
from genre.generation.store import StoredAnswer
from genre.parts import Completion, Identity, Message, Prompt, Sampling

TURNS = 20_000
"""Turns of the event loop, after which nothing moves any more that does not wait for another thread."""


class Counting:
    """Answers at once; the calls after the first `ready` ones when it is let go on.

    Attributes:
        calls: how many began.
    """

    identity = Identity("counting", "here")

    def __init__(self, ready: int) -> None:
        self.calls = 0
        self.go_on = asyncio.Event()
        self._ready = ready

    async def complete(self, prompt: Prompt) -> Completion:
        self.calls += 1
        if self.calls > self._ready:
            await self.go_on.wait()
        return Completion("fine", "counting-1")


class Interrupted(Counting):
    """The call after the ready ones brings the event loop down, as a second Ctrl-C does."""

    async def complete(self, prompt: Prompt) -> Completion:
        if self.calls == self._ready:
            raise KeyboardInterrupt
        return await super().complete(prompt)


class SlowStore(AnswerStore):
    """On a disk that writes one group, and then nothing until it is told to.

    Attributes:
        written: answers that are on disk.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.disk = threading.Event()
        self.written = 0

    def put(self, answers: Iterable[StoredAnswer]) -> None:
        if self.written:
            assert self.disk.wait(60)
        group = list(answers)
        super().put(group)
        self.written += len(group)


def prompts(count: int) -> list[Prompt]:
    return [Prompt("t", f"S{n}", 0, (Message("user", f"question {n}"),), Sampling(max_tokens=5)) for n in range(count)]


def test_when_the_loop_is_torn_down_answers_that_wait_for_their_commit_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a second Ctrl-C, which does not let anything end in peace."""
    monkeypatch.setattr(commits, "COMMIT_SECONDS", 3600.0)
    generator = Interrupted(ready=10)

    async def ask(store: AnswerStore) -> None:
        async for _ in Engine(store).answers(prompts(20), Routing.to(generator, Limits(concurrency=1), "g")):
            pass

    with closing(AnswerStore(tmp_path / "answers.sqlite")) as store:
        with pytest.raises(KeyboardInterrupt):
            asyncio.run(ask(store))
        assert answers_by_state(store) == {"ok": 10}


@pytest.mark.parametrize(("concurrency", "first_group"), [(1, 1), (64, 150), (64, 200), (256, 10), (600, 300)])
def test_however_slow_the_disk_is_no_more_answers_are_at_risk_than_those_in_flight_and_one_group(
    tmp_path: Path, concurrency: int, first_group: int
) -> None:
    async def ask(store: SlowStore) -> int:
        generator = Counting(ready=first_group)

        async def consume() -> None:
            async for _ in Engine(store).answers(prompts(3_000), Routing.to(generator, Limits(concurrency), "g")):
                pass

        consuming = asyncio.create_task(consume())
        while not store.written:
            await asyncio.sleep(0)
        generator.go_on.set()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        at_risk = generator.calls - store.written
        store.disk.set()
        await consuming
        return at_risk

    with closing(SlowStore(tmp_path / "answers.sqlite")) as store:
        at_risk = asyncio.run(ask(store))
        assert 0 < at_risk <= concurrency + commits.COMMIT_ROWS
        assert answers_by_state(store) == {"ok": 3_000}


class FullDisk:
    """A store that writes nothing."""

    def look_up(self, keys: Sequence[bytes]) -> dict[bytes, StoredAnswer]:
        return {}

    def put(self, answers: Iterable[StoredAnswer]) -> None:
        raise RunError("the disk is full")


def test_nothing_is_asked_any_more_when_an_answer_could_not_be_written() -> None:
    generator = Counting(ready=5_000)

    async def ask() -> None:
        routing = Routing.to(generator, Limits(concurrency=500), "g")
        async for _ in Engine(FullDisk()).answers(prompts(5_000), routing):
            pass

    with pytest.raises(RunError, match="the disk is full"):
        asyncio.run(ask())
    assert generator.calls <= 500 + commits.COMMIT_ROWS


def test_no_further_prompts_are_read_when_the_round_cannot_go_on(tmp_path: Path) -> None:
    class Broken(Counting):
        async def complete(self, prompt: Prompt) -> Completion:
            raise ValueError("a mistake of its author")

    read: list[Prompt] = []

    async def ask(store: AnswerStore) -> None:
        asked = (read.append(prompt) or prompt for prompt in prompts(5_000))  # type: ignore[func-returns-value]
        async for _ in Engine(store).answers(asked, Routing.to(Broken(0), Limits(concurrency=500), "g")):
            pass

    with closing(AnswerStore(tmp_path / "answers.sqlite")) as store, pytest.raises(RunError, match="mistake"):
        asyncio.run(ask(store))
    assert len(read) <= 1_000


def test_a_listener_that_fails_ends_the_round_and_every_answer_is_stored_all_the_same(tmp_path: Path) -> None:
    generator = Counting(ready=5_000)

    def fail(_: object) -> None:
        raise ValueError("no terminal")

    async def ask(store: AnswerStore) -> None:
        routing = Routing.to(generator, Limits(concurrency=500), "g")
        async for _ in Engine(store, fail).answers(prompts(5_000), routing):
            pass

    with closing(AnswerStore(tmp_path / "answers.sqlite")) as store:
        with pytest.raises(RunError, match=r"a listener of stored answers failed.*no terminal"):
            asyncio.run(ask(store))
        assert answers_by_state(store) == {"ok": generator.calls}


@pytest.mark.parametrize("turns", range(5))
def test_an_interrupt_while_the_last_answers_are_written_is_not_swallowed_and_they_are_stored(
    tmp_path: Path, turns: int
) -> None:
    async def scenario(store: AnswerStore, thread: ThreadPoolExecutor) -> None:
        group = GroupCommit(store, thread, lambda _: None)
        await asyncio.sleep(0)
        group.add(answer, lambda _: None)
        closing_it = asyncio.create_task(group.close())
        for _ in range(turns):
            await asyncio.sleep(0)
        closing_it.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing_it

    answer = StoredAnswer(b"key", "ok", Completion("fine", "m"), "t", "S", 0, "g", "here", "1")
    with closing(AnswerStore(tmp_path / "answers.sqlite")) as store:
        with ThreadPoolExecutor(1) as thread:
            asyncio.run(scenario(store, thread))
        assert store.look_up([b"key"]) == {b"key": answer}
