"""`genre data check` on what a reader reads, and on a saved set."""

import json
from pathlib import Path

import attrs
import polars as pl
from command_line import Genre
from dataset.mind_files import behavior, write_split
from small_data import small_dataset

from genre.dataset import save_dataset


def test_what_a_reader_reads_is_checked(genre: Genre, tmp_path: Path) -> None:
    write_split(tmp_path / "raw" / "train", [behavior(), behavior("N1-1 N9-0", number="2")])
    outcome = genre("data", "check", "mind", "-o", "folder=raw")
    assert outcome.code == 1
    assert "1 ids among candidates that name no news" in outcome.out
    assert "raw/train/behaviors.tsv:2 'N9'" in outcome.out
    assert "1 error," in outcome.out


def test_warnings_alone_are_no_failure(genre: Genre, tmp_path: Path) -> None:
    write_split(tmp_path / "raw" / "train", [behavior(), behavior("N1-1 N9-0", number="2")])
    outcome = genre("data", "check", "mind", "-o", "folder=raw", "-o", "dangling=drop")
    assert outcome.code == 0, outcome.err
    assert "0 errors" in outcome.out


def test_a_saved_set_is_checked_and_told_as_json(genre: Genre, small_folder: Path) -> None:
    outcome = genre("data", "check", small_folder, "--json")
    assert outcome.code == 0, outcome.err
    [finding] = [each for each in json.loads(outcome.out)["findings"] if each["name"] == "no-abstract"]
    assert (finding["level"], finding["count"], finding["example"]) == ("note", 1, "'N3'")
    assert finding["where"] == f"{small_folder}/news:3"


def test_a_reader_s_name_wins_over_a_raw_folder_of_that_name(genre: Genre, tmp_path: Path) -> None:
    write_split(tmp_path / "mind" / "train", [behavior(), behavior(number="2")])
    assert genre("data", "check", "mind", "-o", "folder=mind").code == 0


def test_a_row_that_cannot_be_read_is_told_with_its_line(genre: Genre, tmp_path: Path) -> None:
    write_split(tmp_path / "raw" / "train", [behavior(), "1\tU1"])
    outcome = genre("data", "check", "mind", "-o", "folder=raw")
    assert outcome.code == 2
    assert "behaviors.tsv:2: 2 columns, expected 5" in outcome.err


def test_neither_reader_nor_folder_is_a_mistake(genre: Genre, tmp_path: Path) -> None:
    assert "did you mean 'mind'?" in genre("data", "check", "mnd").err
    assert "no data set here" in genre("data", "check", tmp_path).err
    assert genre("data", "check", tmp_path).code == 2


def test_an_escape_sequence_in_an_id_does_not_reach_the_terminal(genre: Genre, tmp_path: Path) -> None:
    write_split(tmp_path / "raw" / "train", [behavior(history="N9\x1b[31m")])
    assert "\x1b" not in genre("data", "check", "mind", "-o", "folder=raw").out


def test_the_name_of_a_split_is_shown_as_it_is_and_not_obeyed(genre: Genre, tmp_path: Path) -> None:
    dataset = small_dataset()
    odd = dataset.impressions.with_columns(split=pl.lit("[/]\x1b[31m"))
    save_dataset(attrs.evolve(dataset, impressions=odd), tmp_path / "set")
    for command in ("check", "stats"):
        outcome = genre("data", command, "set")
        assert outcome.code == 0, outcome.err
        assert "[/]\\x1b[31m" in outcome.out
        assert "\x1b" not in outcome.out
