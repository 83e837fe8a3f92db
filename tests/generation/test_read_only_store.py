"""A store that is only looked into leaves no trace."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from genre.errors import RunError, UsageError
from genre.generation.lengths import Lengths, answer_lengths
from genre.generation.read_only_store import ReadOnlyStore
from genre.generation.store import AnswerStore, StoredAnswer
from genre.parts import Completion, Usage

FORMAT_1 = """
CREATE TABLE answers (
    key BLOB PRIMARY KEY, state TEXT NOT NULL, text TEXT NOT NULL, model TEXT NOT NULL, prompt_tokens INTEGER,
    completion_tokens INTEGER, task TEXT NOT NULL, subject TEXT NOT NULL, draw INTEGER NOT NULL,
    generator TEXT NOT NULL, endpoint TEXT NOT NULL, template TEXT NOT NULL
) WITHOUT ROWID;
PRAGMA journal_mode=WAL;
PRAGMA user_version=1;
INSERT INTO answers VALUES (x'31', 'ok', 'hi', 'm-1', 3, 4, 't', 'N1', 0, 'g', 'e', 'v1');
"""


def answer(key: bytes, state: str = "ok", tokens: int | None = 4, generator: str = "g") -> StoredAnswer:
    completion = Completion("hi", "m-1", usage=Usage(3, tokens))
    return StoredAnswer(key, state, completion, "t", "N1", 0, generator, "e", "v1")  # type: ignore[arg-type]


def traces(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}


def test_a_missing_file_is_an_empty_store_and_stays_missing(tmp_path: Path) -> None:
    with closing(ReadOnlyStore(tmp_path / "none" / "answers.sqlite")) as store:
        assert store.look_up([b"1"]) == {}
        assert answer_lengths(store, "t") == []
    assert not list(tmp_path.iterdir())


def test_a_store_is_read_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    with closing(AnswerStore(tmp_path / "answers.sqlite")) as store:
        store.put([answer(b"1"), answer(b"2", "failed")])
    before = traces(tmp_path)
    with closing(ReadOnlyStore(tmp_path / "answers.sqlite")) as store:
        assert store.look_up([b"1", b"2"]) == {b"1": answer(b"1")}
    assert traces(tmp_path) == before


def test_a_store_that_a_run_writes_is_read_as_it_is_now(tmp_path: Path) -> None:
    with closing(AnswerStore(tmp_path / "answers.sqlite")) as writer:
        writer.put([answer(b"1")])
        with closing(ReadOnlyStore(tmp_path / "answers.sqlite")) as reader:
            writer.put([answer(b"2")])
            assert set(reader.look_up([b"1", b"2"])) == {b"1", b"2"}


def test_a_store_of_format_1_is_read_and_stays_of_format_1(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FORMAT_1)
    before = traces(tmp_path)
    with closing(ReadOnlyStore(path)) as store:
        assert store.look_up([b"1"]) == {b"1": answer(b"1")}
        assert answer_lengths(store, "t") == [Lengths("g", 1, 4)]
    assert traces(tmp_path) == before


def test_nothing_can_be_written(tmp_path: Path) -> None:
    AnswerStore(tmp_path / "answers.sqlite").close()
    with closing(ReadOnlyStore(tmp_path / "answers.sqlite")) as store, pytest.raises(RunError, match="written"):
        store.put([answer(b"1")])


def test_a_file_that_is_no_store_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite"
    path.write_text("not a database, but a text that is long enough to be one" * 50)
    with pytest.raises(UsageError, match=r"notes\.sqlite: not an answer store"):
        ReadOnlyStore(path)


def test_lengths_are_of_answers_whose_tokens_are_known(tmp_path: Path) -> None:
    with closing(AnswerStore(tmp_path / "answers.sqlite")) as store:
        store.put([answer(b"1"), answer(b"2", tokens=6), answer(b"3", tokens=None), answer(b"4", "refused", 90)])
        store.put([answer(b"5", "truncated", 96, "h")])
        assert answer_lengths(store, "t") == [Lengths("g", 2, 10), Lengths("h", 1, 96)]
        assert answer_lengths(store, "u") == []
