"""An export is a file that equal stores make alike, that is whole or not there, and that is read strictly."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genre.errors import RunError, UsageError
from genre.generation.exports import (
    ExportedAnswer,
    ExportReport,
    export_line,
    exported_answer,
    is_export_row,
    write_export,
)
from genre.generation.store import AnswerStore, StoredAnswer
from genre.parts import Completion, Usage

QUESTION = bytes(range(20))
ANSWER = StoredAnswer(
    key=b"1",
    state="ok",
    completion=Completion("hi", "m-1", usage=Usage(3, None)),
    task="t",
    subject="N1",
    draw=0,
    generator="g",
    endpoint="e",
    template="v1",
    question=QUESTION,
    cost=0.25,
    identity='{"endpoint":"e","model":"m","parameters":{}}',
    stored_at=1_700_000_000,
)


def answer(key: bytes, **changes: object) -> StoredAnswer:
    return attrs.evolve(ANSWER, key=key, **changes)  # type: ignore[arg-type]


def test_a_line_has_all_that_was_stored_and_no_clock_time() -> None:
    assert json.loads(export_line(ANSWER)) == {
        "format": 1,
        "question": QUESTION.hex(),
        "task": "t",
        "subject": "N1",
        "draw": 0,
        "state": "ok",
        "text": "hi",
        "model": "m-1",
        "generator": "g",
        "identity": {"endpoint": "e", "model": "m", "parameters": {}},
        "prompt_tokens": 3,
        "completion_tokens": None,
        "cost": 0.25,
        "template": "v1",
    }


@settings(max_examples=200)
@given(text=st.text(), subject=st.text(), model=st.text(), draw=st.integers(0, 2**40))
def test_a_line_is_one_line_of_ascii_that_is_read_as_it_was_written(
    text: str, subject: str, model: str, draw: int
) -> None:
    line = export_line(attrs.evolve(ANSWER, completion=Completion(text, model), subject=subject, draw=draw))
    assert line.isascii()
    assert line.splitlines() == [line]
    assert "\x1b" not in line
    read = exported_answer(json.loads(line), "here")
    assert (read.text, read.subject, read.model, read.draw) == (text, subject, model, draw)
    assert read.question == QUESTION.hex()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


@settings(max_examples=300)
@given(name=st.sampled_from([*json.loads(export_line(ANSWER)), "further"]), value=JSON)
def test_a_line_with_any_wrong_field_is_read_or_told_by_its_place(name: str, value: object) -> None:
    row = {**json.loads(export_line(ANSWER)), name: value}
    try:
        outcome: ExportedAnswer | UsageError = exported_answer(row, "a.jsonl:3")
    except UsageError as error:
        outcome = error
    if isinstance(outcome, UsageError):
        assert outcome.where == "a.jsonl:3"
        assert outcome.remedy
    else:
        assert isinstance(outcome.text, str)
        assert isinstance(outcome.draw, int)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 2}, "format 2"),
        ({"format": True}, "format True"),
        ({"question": "zz"}, "'question'"),
        ({"state": "maybe"}, "'state'"),
        ({"draw": -1}, "'draw'"),
        ({"draw": None}, "'draw'"),
        ({"text": 3}, "'text'"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        exported_answer({**json.loads(export_line(ANSWER)), **change}, "here")


def test_a_recording_of_another_kind_is_no_line_of_an_export() -> None:
    row = {"id": "N1", "response": "x", "text": "y"}
    assert not is_export_row(row)
    assert not is_export_row(["format", "question", "state", "text"])
    with pytest.raises(UsageError, match="does not have format, question, state"):
        exported_answer(row, "here")


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_equal_stores_are_exported_alike_byte_for_byte(tmp_path: Path, name: str) -> None:
    answers = [answer(b"1"), answer(b"2", subject="N0"), answer(b"3", draw=1, stored_at=5)]
    for folder, order in (("one", answers), ("other", answers[::-1])):
        store = AnswerStore(tmp_path / folder / "answers.sqlite")
        store.put([attrs.evolve(each, stored_at=None) for each in order])
        write_export(store.rows(), tmp_path / folder / name)
        store.close()
    one, other = ((tmp_path / folder / name).read_bytes() for folder in ("one", "other"))
    assert one == other
    lines = (gzip.decompress(one) if name.endswith(".gz") else one).splitlines()
    assert [(row["subject"], row["draw"]) for row in map(json.loads, lines)] == [("N0", 0), ("N1", 0), ("N1", 1)]


def test_failed_calls_are_left_out_and_counted(tmp_path: Path) -> None:
    answers = [answer(b"1", state="failed"), answer(b"2", question=None), answer(b"3", state="refused")]
    assert write_export(answers, tmp_path / "a.jsonl") == ExportReport(answers=2, failed=1, without_question=1)
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 2


def test_a_file_that_exists_is_replaced_by_force_only(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("precious")
    with pytest.raises(UsageError, match="the file exists"):
        write_export([ANSWER], path)
    assert path.read_text() == "precious"
    write_export([ANSWER], path, force=True)
    assert json.loads(path.read_text())["text"] == "hi"


def test_an_export_that_breaks_off_leaves_no_file(tmp_path: Path) -> None:
    def broken() -> Iterator[StoredAnswer]:
        yield ANSWER
        raise RunError("the store is damaged")

    with pytest.raises(RunError, match="damaged"):
        write_export(broken(), tmp_path / "a.jsonl.gz")
    assert list(tmp_path.iterdir()) == []


def test_an_export_of_nothing_is_an_error_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="1 failed calls are no answers"):
        write_export([answer(b"1", state="failed")], tmp_path / "a.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_says_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.jsonl or \.jsonl\.gz"):
        write_export([ANSWER], tmp_path / "a.csv")


def test_an_export_below_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        write_export([ANSWER], tmp_path / "file" / "a.jsonl")
