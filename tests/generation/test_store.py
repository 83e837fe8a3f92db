"""Paid answers are on disk, found by what decides them, and never asked for twice."""

import sqlite3
from pathlib import Path

import attrs
import pytest

from genre.errors import RunError, UsageError
from genre.generation.store import AnswerStore, StoredAnswer, answer_key
from genre.parts import Completion, Identity, Message, Prompt, Sampling, Usage

PROMPT = Prompt(
    task="t",
    subject="N1",
    draw=0,
    messages=(Message("user", "hello"),),
    sampling=Sampling(max_tokens=10),
    schema={"type": "object", "required": ["a"]},
    version="v1",
)
IDENTITY = Identity(model="m", endpoint="e", parameters={"x": 1})


def answer(key: bytes, state: str = "ok", text: str = "hi") -> StoredAnswer:
    completion = Completion(text=text, model="m-1", usage=Usage(3, 4))
    return StoredAnswer(key, state, completion, "t", "N1", 0, "g", "e", "v1")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"messages": (Message("user", "hello!"),)},
        {"messages": (Message("system", "hello"),)},
        {"sampling": Sampling(max_tokens=11)},
        {"sampling": Sampling(max_tokens=10, temperature=0.1)},
        {"schema": None},
        {"draw": 1},
    ],
)
def test_what_decides_an_answer_changes_its_key(change: dict[str, object]) -> None:
    assert answer_key(attrs.evolve(PROMPT, **change), IDENTITY) != answer_key(PROMPT, IDENTITY)  # type: ignore[arg-type]


@pytest.mark.parametrize("change", [{"task": "u"}, {"subject": "N2"}, {"version": "v2"}, {"user": "U1"}])
def test_provenance_does_not_change_the_key(change: dict[str, object]) -> None:
    assert answer_key(attrs.evolve(PROMPT, **change), IDENTITY) == answer_key(PROMPT, IDENTITY)  # type: ignore[arg-type]


@pytest.mark.parametrize("change", [{"model": "n"}, {"endpoint": "f"}, {"parameters": {"x": 2}}])
def test_model_endpoint_and_parameters_are_part_of_the_key(change: dict[str, object]) -> None:
    assert answer_key(PROMPT, attrs.evolve(IDENTITY, **change)) != answer_key(PROMPT, IDENTITY)  # type: ignore[arg-type]


def test_the_order_of_a_schema_s_keys_does_not_change_the_key() -> None:
    turned = attrs.evolve(PROMPT, schema={"required": ["a"], "type": "object"})
    assert answer_key(turned, IDENTITY) == answer_key(PROMPT, IDENTITY)


def test_an_answer_is_found_again_by_another_process_s_store(tmp_path: Path) -> None:
    path = tmp_path / "store" / "answers.sqlite"
    AnswerStore(path).put([answer(b"1", text="héllo \U0001f600"), answer(b"2", "truncated")])
    found = AnswerStore(path).look_up([b"1", b"2", b"3"])
    assert set(found) == {b"1", b"2"}
    assert found[b"1"] == answer(b"1", text="héllo \U0001f600")
    assert found[b"2"].completion.finish == "length"


def test_a_failed_call_is_kept_for_the_record_and_asked_again(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "answers.sqlite")
    store.put([answer(b"1", "failed"), answer(b"2", "refused")])
    assert set(store.look_up([b"1", b"2"])) == {b"2"}
    assert store.count() == {"failed": 1, "refused": 1}
    store.put([answer(b"1")])
    assert store.look_up([b"1"])[b"1"].state == "ok"


def test_more_keys_than_a_query_may_have_are_looked_up(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "answers.sqlite")
    keys = [str(number).encode() for number in range(2_500)]
    store.put(answer(key) for key in keys)
    assert set(store.look_up(keys)) == set(keys)


def test_a_file_that_is_no_store_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite"
    path.write_text("not a database, but a text that is long enough to be one" * 50)
    with pytest.raises(UsageError, match=r"notes\.sqlite: not an answer store"):
        AnswerStore(path)


def test_a_store_of_a_later_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=99")
    with pytest.raises(UsageError, match="format 99"):
        AnswerStore(path)


def test_text_that_no_file_can_hold_is_stored_escaped(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "answers.sqlite")
    store.put([answer(b"1", text="a\ud800b")])
    assert store.look_up([b"1"])[b"1"].completion.text == "a\\ud800b"


def test_a_later_failure_never_replaces_a_paid_answer(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "answers.sqlite")
    store.put([answer(b"1", text="paid")])
    store.put([answer(b"1", "failed", "timeout")])
    assert store.look_up([b"1"])[b"1"].completion.text == "paid"


def test_a_foreign_database_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "theirs.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE answers (question TEXT)")
    before = path.read_bytes()
    with pytest.raises(UsageError, match="reads answer stores"):
        AnswerStore(path)
    assert path.read_bytes() == before


def test_a_store_where_no_file_can_be_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be opened"):
        AnswerStore(tmp_path / "file" / "answers.sqlite")


def test_a_damaged_store_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    store = AnswerStore(path)
    store.put(answer(str(number).encode(), text="x" * 500) for number in range(2_000))
    store.close()
    with path.open("r+b") as file:
        file.seek(8_192)
        file.write(b"\xff" * 200_000)
    damaged = AnswerStore(path)
    with pytest.raises(RunError, match=r"answers\.sqlite: the answer store cannot be read"):
        damaged.look_up([str(number).encode() for number in range(2_000)])
