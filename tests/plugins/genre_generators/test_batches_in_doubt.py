"""Providers that are late, away or vague: no batch that may be paid is taken for one that was not made."""

import asyncio
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from batch_calls import Maker, anthropic, ask, both, leave, openai, prompt
from batch_server import BatchServer
from servers import Reply

from genre.errors import RunError
from genre.parts import Completion, Fatal, Transient
from genre_generators import batch_follower
from genre_generators.batch_journal import Journal
from genre_generators.batch_record import BatchRecord


def makes_a_batch(method: str, path: str) -> bool:
    return method == "POST" and path.endswith("/batches")


def lists_batches(method: str, path: str) -> bool:
    return method == "GET" and path.endswith("/batches")


def at_first(reply: Reply, wanted: Callable[[str, str], bool]) -> Callable[[str, str], Reply | None]:
    """What a server says the first time that it is asked this."""
    replies = iter([reply])
    return lambda method, path: next(replies, None) if wanted(method, path) else None


def leave_in_doubt(server: BatchServer, make: Maker, journal: Path) -> None:
    """A batch is made, and the process that asked for it does not get to know."""
    server.lose = makes_a_batch
    server.intercept = lambda method, path: Reply.error(503) if lists_batches(method, path) else None
    ask(make(server, journal, longest_hours=1e-9), prompt())
    server.lose = lambda *_: False
    server.intercept = lambda *_: None


@both
@pytest.mark.parametrize("list_", [{"data": [], "has_more": False}, {"object": "maintenance"}], ids=["late", "vague"])
def test_a_batch_that_one_list_lacks_is_looked_for_again(make: Maker, list_: Any, tmp_path: Path) -> None:
    with BatchServer() as server:
        server.lose = makes_a_batch
        server.intercept = at_first(Reply.of(list_), lists_batches)
        [answer] = ask(make(server, tmp_path), prompt())
        assert len(server.batches) == 1
    assert isinstance(answer, Completion)


@both
def test_an_outage_after_the_longest_time_does_not_lose_a_batch(
    make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_follower, "_GRACE", 0.05)
    with BatchServer() as server:
        leave(make(server, tmp_path), tmp_path, prompt())
        server.intercept = lambda *_: Reply.error(503)
        [error] = ask(make(server, tmp_path, longest_hours=1e-9), prompt())
        server.intercept = lambda *_: None
        [answer] = ask(make(server, tmp_path), prompt())
        assert len(server.batches) == 1
    assert type(error) is Fatal
    assert isinstance(answer, Completion)


def test_a_batch_of_somebody_else_does_not_hide_ours(tmp_path: Path) -> None:
    with BatchServer() as server:
        leave_in_doubt(server, anthropic, tmp_path)
        others = [tmp_path / "one", tmp_path / "two"]
        for other in others:
            ask(anthropic(server, other), prompt(5))
        [answer] = ask(anthropic(server, tmp_path), prompt())
        assert len(server.batches) == 3
    assert isinstance(answer, Completion)


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_batch_that_was_sent_by_a_wrong_clock_is_found(hours: int, tmp_path: Path) -> None:
    with BatchServer() as server:
        leave_in_doubt(server, anthropic, tmp_path)
        [file] = tmp_path.glob("*.jsonl")
        first, *others = file.read_text().splitlines()
        said = json.loads(first)
        said["made"] += hours * 3_600
        file.write_text("\n".join([json.dumps(said), *others, ""]))
        [answer] = ask(anthropic(server, tmp_path), prompt())
        assert len(server.batches) == 1
    assert isinstance(answer, Completion)


def test_a_batch_in_doubt_is_not_sent_again_with_a_key_that_does_not_see_its_file(tmp_path: Path) -> None:
    def another_account(method: str, path: str) -> Reply | None:
        if lists_batches(method, path):
            return Reply.of({"data": [], "has_more": False})
        return Reply.error(404) if method == "GET" else None

    with BatchServer() as server:
        leave_in_doubt(server, openai, tmp_path)
        server.intercept = another_account
        [error] = ask(openai(server, tmp_path), prompt())
        server.intercept = lambda *_: None
        [answer] = ask(openai(server, tmp_path), prompt())
        assert len(server.batches) == 1
    assert type(error) is Fatal
    assert isinstance(answer, Completion)


@both
def test_a_batch_that_is_accepted_with_another_status_is_made(make: Maker, tmp_path: Path) -> None:
    with BatchServer() as server:
        server.intercept = lambda method, path: Reply.of({}, 202) if makes_a_batch(method, path) else None
        [error] = ask(make(server, tmp_path), prompt())
    assert str(error) == "the batch was not made", "a reply without an id was taken for a refusal"
    assert len([call for call in server.calls if lists_batches(*call)]) == 3


@pytest.mark.parametrize("hostile", ["\x1b[31m\n" + "z" * 5_000, {"\x1b": "z" * 5_000}])
def test_no_word_of_a_server_reaches_a_terminal_as_it_is(hostile: object, tmp_path: Path) -> None:
    with BatchServer() as server:
        server.results = lambda batch: b"".join(
            json.dumps({"custom_id": key, "response": None, "error": {"code": hostile}}).encode()
            for key in batch.requests
        )
        [unanswered] = ask(openai(server, tmp_path), prompt())
        server.states = ["failed"]
        server.failure = {"data": [{"code": "x", "message": "no", "line": hostile}]}
        [refused] = ask(openai(server, tmp_path), prompt())
    for error in (unanswered, refused):
        assert "z" in str(error)
        assert str(error).isprintable()
        assert len(str(error)) < 500


def test_a_time_that_is_none_is_a_damaged_journal(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"format": 1, "service": "s", "made": true, "keys": []}\n', encoding="utf-8")
    with pytest.raises(RunError, match="damaged"):
        Journal(tmp_path, "s").records()


def test_a_call_that_is_cut_off_while_its_batch_is_written_down_locks_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = Journal.begin
    waiting: list[asyncio.Task[Completion]] = []

    async def scenario() -> Completion:
        generator = openai(server, tmp_path)

        def and_give_up(journal: Journal, keys: Iterable[str]) -> BatchRecord:
            loop.call_soon_threadsafe(closing.set)
            return begin(journal, keys)

        loop, closing = asyncio.get_running_loop(), asyncio.Event()
        monkeypatch.setattr(Journal, "begin", and_give_up)
        waiting.append(asyncio.create_task(generator.complete(prompt())))
        await closing.wait()
        waiting[0].cancel()
        await generator.aclose()
        with pytest.raises(Transient, match="not made"):
            await asyncio.wait_for(generator.complete(prompt()), 20)
        try:
            return await generator.complete(prompt())
        finally:
            await generator.aclose()

    with BatchServer() as server:
        answer = asyncio.run(scenario())
        assert len(server.batches) == 1
    assert isinstance(answer, Completion)
