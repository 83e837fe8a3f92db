"""What a round writes, on a disk that has no room for it."""

from pathlib import Path

import polars as pl
import pytest

from genre.generation.records import QUARANTINE, Quarantine, RecordSink
from genre.generation.waiting import Asked, Unusable, WaitingList
from genre.parts import Message, Prompt, Sampling
from genre.staging import WriteFailed

PROMPT = Prompt("task", "N1", 0, (Message("user", "question"),), Sampling(max_tokens=10))
UNUSABLE = Unusable("malformed", "malformed", "not JSON", "text " * 10_000, "00", "g", "m")


def test_a_quarantine_that_finds_no_room_says_so(tmp_path: Path) -> None:
    (tmp_path / f".{QUARANTINE}").symlink_to("/dev/full")
    with pytest.raises(WriteFailed, match=r"the quarantine cannot .*No space"), Quarantine(tmp_path) as held:
        held.add(Asked(0, PROMPT), UNUSABLE)


def test_an_error_of_the_round_is_told_and_not_that_of_its_quarantine(tmp_path: Path) -> None:
    (tmp_path / f".{QUARANTINE}").symlink_to("/dev/full")

    def fail() -> None:
        with Quarantine(tmp_path) as held:
            held.add(Asked(0, PROMPT), Unusable("failed", "failed", "failed", "text", "00", "g", "m"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()


def test_a_list_of_prompts_that_finds_no_room_says_so(tmp_path: Path) -> None:
    def fill() -> None:
        path = tmp_path / "again.jsonl"
        path.symlink_to("/dev/full")
        with WaitingList(path) as waiting:
            waiting.add(Asked(0, PROMPT, UNUSABLE))
            list(waiting.read())

    with pytest.raises(WriteFailed, match=r"the list of prompts to ask again cannot be written: .*No space"):
        fill()


def test_records_that_find_no_room_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    schema = {"type": "object", "properties": {"title": {"type": "string"}}}
    with RecordSink(tmp_path, schema, "round") as sink:
        sink.add(0, PROMPT, "m", {"title": "a"})
        with pytest.raises(WriteFailed, match=r"the records cannot be written: .*No space"):
            sink.scan()
