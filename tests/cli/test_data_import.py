"""`genre data import`: what each reader reads becomes a folder of Parquet."""

from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Genre
from dataset import adressa_files, ebnerd_files
from dataset.mind_files import behavior, write_split

from genre.dataset import load_dataset
from genre.registry import Registry


def mind(folder: Path) -> list[str]:
    write_split(folder / "train", [behavior()])
    return ["folder=raw"]


def ebnerd(folder: Path) -> list[str]:
    ebnerd_files.write_bundle(folder)
    return ["folder=raw"]


def adressa(folder: Path) -> list[str]:
    adressa_files.write_days(folder, adressa_files.week())
    return ["folder=raw", "negatives=2"]


def sample(_: Path) -> list[str]:
    return ["news=60", "users=30", "train=50", "dev=20", "test=20"]


READERS: dict[str, Callable[[Path], list[str]]] = {
    "mind": mind,
    "goodreads": mind,
    "ebnerd": ebnerd,
    "adressa": adressa,
    "sample": sample,
}


@pytest.mark.parametrize("reader", READERS)
def test_what_a_reader_reads_is_saved_and_described(genre: Genre, tmp_path: Path, reader: str) -> None:
    options = [argument for pair in READERS[reader](tmp_path / "raw") for argument in ("-o", pair)]
    outcome = genre("data", "import", reader, *options, "--out", "set")
    assert outcome.code == 0, outcome.err
    dataset = load_dataset(tmp_path / "set")
    assert dataset.lineage[0].details["reader"] == reader
    assert dataset.impressions.height > 0
    assert genre("data", "stats", "set").code == 0
    assert genre("data", "check", "set").code == 0


def test_every_reader_is_imported_here() -> None:
    ours = {each.part.name for each in Registry.load().parts("dataset") if each.distribution == "genre-rec"}
    assert ours == set(READERS)
