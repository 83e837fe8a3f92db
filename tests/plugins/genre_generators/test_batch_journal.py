"""What was sent in a batch is paid, and is never sent twice: not after a kill, not after a lost reply."""

import json
import time
from pathlib import Path

import pytest
from batch_calls import Maker, anthropic, ask, both, leave, openai, prompt, question
from batch_server import BatchServer, Outcome
from servers import Reply

from genre.errors import RunError
from genre.parts import Completion, Fatal, Transient
from genre_generators.batch_journal import Journal


def makes_a_batch(method: str, path: str) -> bool:
    return method == "POST" and path.endswith("batches")


@both
def test_a_second_process_waits_for_the_batch_of_the_first(make: Maker, tmp_path: Path) -> None:
    with BatchServer() as server:
        server.held.set()
        leave(make(server, tmp_path), tmp_path, prompt(0), prompt(1))
        server.held.clear()
        server.outcome = lambda _, body: Outcome(question(body))
        answers = ask(make(server, tmp_path), prompt(0), prompt(1), prompt(2))
        assert [len(batch.requests) for batch in server.batches] == [2, 1]
    assert [answer.text for answer in answers] == ["question 0", "question 1", "question 2"]


@both
def test_a_retry_of_a_prompt_is_sent_again(make: Maker, tmp_path: Path) -> None:
    with BatchServer() as server:
        ask(make(server, tmp_path), prompt())
        ask(make(server, tmp_path), prompt(retry=1))
        ask(make(server, tmp_path), prompt(retry=1))
        assert len(server.batches) == 2


@both
def test_a_process_that_begins_anew_waits_for_the_batch_of_a_later_attempt(make: Maker, tmp_path: Path) -> None:
    with BatchServer() as server:
        server.outcome = lambda *_: Outcome(status=500)
        ask(make(server, tmp_path), prompt())
        server.outcome = lambda *_: Outcome()
        server.held.set()
        leave(make(server, tmp_path), tmp_path, prompt(retry=2))
        server.held.clear()
        [answer] = ask(make(server, tmp_path), prompt(retry=1))
        assert len(server.batches) == 2
    assert isinstance(answer, Completion)


@both
def test_answers_that_nobody_waited_for_are_there_when_somebody_asks(make: Maker, tmp_path: Path) -> None:
    with BatchServer() as server:
        server.held.set()
        leave(make(server, tmp_path), tmp_path, *map(prompt, range(3)))
        server.held.clear()
        ask(make(server, tmp_path), prompt(0))
        downloads = len([path for _, path in server.calls if "answers-of" in path or "results" in path])
        generator = make(server, tmp_path)
        [answer] = ask(generator, prompt(1))
        assert isinstance(answer, Completion)
        assert len(server.batches) == 1
    assert downloads == 1


@both
def test_the_journal_is_on_disk_before_a_batch_is_made(make: Maker, tmp_path: Path) -> None:
    seen: list[list[str]] = []

    def look(method: str, path: str) -> None:
        if makes_a_batch(method, path):
            seen.extend(json.loads(file.read_text().splitlines()[0])["keys"] for file in tmp_path.glob("*.jsonl"))

    with BatchServer() as server:
        server.intercept = look
        ask(make(server, tmp_path), prompt(0), prompt(1))
        assert seen == [list(server.batches[0].requests)]


@both
def test_a_batch_whose_creation_was_cut_off_is_found_again(make: Maker, tmp_path: Path) -> None:
    lost = iter([True])
    with BatchServer() as server:
        ask(make(server, tmp_path), prompt(8), prompt(9))  # one of others is in the list too
        server.lose = lambda method, path: makes_a_batch(method, path) and next(lost, False)
        answers = ask(make(server, tmp_path), prompt(0), prompt(1))
        assert [len(batch.requests) for batch in server.batches] == [2, 2]
    assert all(isinstance(answer, Completion) for answer in answers)


@both
def test_another_batch_of_ours_is_not_taken_for_the_one_that_was_not_made(make: Maker, tmp_path: Path) -> None:
    lost = iter([Reply(manner="drop")])
    with BatchServer() as server:
        ask(make(server, tmp_path), prompt(8), prompt(9))
        server.intercept = lambda method, path: next(lost, None) if makes_a_batch(method, path) else None
        errors = ask(make(server, tmp_path), prompt(0), prompt(1))
    assert [str(error) for error in errors] == ["the batch was not made"] * 2


@both
def test_a_process_finds_the_batch_whose_creation_its_predecessor_did_not_see(make: Maker, tmp_path: Path) -> None:
    with BatchServer() as server:
        server.lose = makes_a_batch
        server.intercept = lambda method, path: Reply.error(503) if (method, path[-7:]) == ("GET", "batches") else None
        ask(make(server, tmp_path, longest_hours=1e-9), prompt(0), prompt(1))
        [file] = tmp_path.glob("*.jsonl")
        assert '"batch"' not in file.read_text()
        server.lose = lambda *_: False
        server.intercept = lambda *_: None
        answers = ask(make(server, tmp_path), prompt(0), prompt(1))
        assert len(server.batches) == 1
    assert all(isinstance(answer, Completion) for answer in answers)


def test_what_became_of_a_batch_is_not_for_others_to_find_out_while_it_is_made(tmp_path: Path) -> None:
    one, other = Journal(tmp_path, "s"), Journal(tmp_path, "s")
    made = one.begin(["0" * 40])
    [seen] = other.records()
    assert not other.seize(seen)
    one.uploaded(made, "file-1")
    one.created(made, "batch_1")
    one.release(made)
    assert other.seize(seen)
    assert (seen.file, seen.batch) == ("file-1", "batch_1")


def test_a_batch_is_locked_before_others_can_see_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = Path.replace

    def and_look(draft: Path, path: Path) -> Path:
        made = replace(draft, path)
        other = Journal(tmp_path, "s")
        assert not other.seize(other.records()[0])
        return made

    monkeypatch.setattr(Path, "replace", and_look)
    one = Journal(tmp_path, "s")
    one.release(one.begin(["0" * 40]))


def test_a_batch_that_another_process_found_not_to_be_made_is_not_looked_for(tmp_path: Path) -> None:
    one, other = Journal(tmp_path, "s"), Journal(tmp_path, "s")
    made = one.begin(["0" * 40])
    one.uploaded(made, "file-1")
    [seen] = other.records()
    one.discard(made)
    one.release(made)
    assert other.seize(seen)
    assert (seen.file, seen.batch) == (None, None)


def test_a_batch_that_two_processes_wait_for_is_forgotten_by_both(tmp_path: Path) -> None:
    one, other = Journal(tmp_path, "s"), Journal(tmp_path, "s")
    keys = ["0" * 40, "1" * 40]
    made = one.begin(keys)
    [seen] = other.records()
    one.ended(made, keys)
    other.ended(seen, keys[:1])
    assert not list(tmp_path.iterdir())


@both
def test_a_batch_that_was_not_made_is_asked_for_again(make: Maker, tmp_path: Path) -> None:
    lost = iter([Reply(manner="drop")])
    with BatchServer() as server:
        server.intercept = lambda method, path: next(lost, None) if makes_a_batch(method, path) else None
        [error] = ask(make(server, tmp_path), prompt())
        assert type(error) is Transient
        assert not error.may_be_billed
        [answer] = ask(make(server, tmp_path), prompt())
        assert len(server.batches) == 1
    assert isinstance(answer, Completion)


@both
def test_a_doubt_that_the_provider_does_not_clear_is_told_with_the_file(make: Maker, tmp_path: Path) -> None:
    with BatchServer() as server:
        server.lose = makes_a_batch
        server.intercept = lambda method, path: Reply.error(405) if (method, path[-7:]) == ("GET", "batches") else None
        [error] = ask(make(server, tmp_path), prompt())
    [file] = tmp_path.glob("*.jsonl")
    assert type(error) is Fatal
    assert str(file) in str(error)


@both
def test_a_batch_that_the_provider_does_not_know_is_told_and_not_sent_again(make: Maker, tmp_path: Path) -> None:
    with BatchServer() as server:
        server.held.set()
        leave(make(server, tmp_path), tmp_path, prompt())
        server.intercept = lambda method, path: Reply.error(404) if method == "GET" else None
        [error] = ask(make(server, tmp_path), prompt())
        assert len(server.batches) == 1
    assert type(error) is Fatal
    assert "another key" in str(error)
    assert list(tmp_path.glob("*.jsonl"))


@both
def test_a_prompt_that_a_batch_failed_goes_into_another_one(make: Maker, tmp_path: Path) -> None:
    failed = Outcome(status=500, error="oops")
    with BatchServer() as server:
        server.outcome = lambda _, body: failed if question(body) == "question 1" else Outcome()
        ask(make(server, tmp_path), prompt(0), prompt(1))
        server.outcome = lambda *_: Outcome()
        [answer] = ask(make(server, tmp_path), prompt(1))
        assert [len(batch.requests) for batch in server.batches] == [2, 1]
    assert isinstance(answer, Completion)


def test_a_line_that_a_crash_cut_short_is_passed_over(tmp_path: Path) -> None:
    with BatchServer() as server:
        server.held.set()
        leave(openai(server, tmp_path), tmp_path, prompt())
        [file] = tmp_path.glob("*.jsonl")
        whole = file.read_bytes()
        file.write_bytes(whole[:-10])  # the batch's id is lost
        server.held.clear()
        [answer] = ask(openai(server, tmp_path), prompt())
        assert len(server.batches) == 1
        assert whole.splitlines()[-1] in file.read_bytes().splitlines()
    assert isinstance(answer, Completion)


@pytest.mark.parametrize("text", ["", "{}", "not JSON", '{"format": 1, "service": "s", "made": 1, "keys": ["../up"]}'])
def test_a_damaged_journal_is_told_with_its_file(text: str, tmp_path: Path) -> None:
    (tmp_path / "damaged.jsonl").write_text(text)
    with BatchServer() as server:
        [error] = ask(openai(server, tmp_path), prompt())
        assert not server.batches
    assert isinstance(error, RunError)
    assert "damaged.jsonl" in str(error.where)


def test_a_journal_that_cannot_be_written_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with BatchServer() as server:
        [error] = ask(openai(server, tmp_path / "file" / "batches"), prompt())
        assert not server.calls
    assert isinstance(error, RunError)


def test_a_batch_whose_results_the_provider_has_deleted_by_now_is_forgotten(tmp_path: Path) -> None:
    with BatchServer() as server:
        server.held.set()
        leave(openai(server, tmp_path), tmp_path, prompt())
        [file] = tmp_path.glob("*.jsonl")
        first, *rest = file.read_text().splitlines()
        record = {**json.loads(first), "made": time.time() - 30 * 86_400}
        file.write_text("\n".join([json.dumps(record), *rest]))
        server.held.clear()
        ask(openai(server, tmp_path), prompt())
        assert len(server.batches) == 2
    assert not file.exists()


def test_a_batch_of_another_service_is_not_waited_for(tmp_path: Path) -> None:
    with BatchServer() as server:
        server.held.set()
        leave(openai(server, tmp_path), tmp_path, prompt())
        server.held.clear()
        [answer] = ask(anthropic(server, tmp_path), prompt())
        assert [batch.protocol for batch in server.batches] == ["openai", "anthropic"]
    assert isinstance(answer, Completion)


def test_names_of_journal_files_hold_no_text_of_a_server(tmp_path: Path) -> None:
    with BatchServer() as server:
        ask(openai(server, tmp_path), prompt())
        names = {server.batches[0].id, server.batches[0].file}
    [file] = tmp_path.iterdir()
    assert not any(name in file.name for name in names)
    assert file.suffix == ".jsonl"
    assert set(file.stem) <= set("0123456789abcdef")
