"""`genre submission`: from a trained model to an archive that passes the check."""

import json
import zipfile
from pathlib import Path

import attrs
import pytest
from command_line import Genre

from genre.dataset import LineageEntry, save_dataset
from genre.experiments import read_dataset
from genre.registry import Registry

SMALL = {"news": 60, "users": 30, "train": 50, "dev": 20, "test": 20}


@pytest.fixture
def model(genre: Genre, tmp_path: Path) -> str:
    save_dataset(read_dataset(Registry.load(), "sample", SMALL), tmp_path / "data")
    outcome = genre("train", "data", "--baseline", "nrms", "--out", "model", "-o", "training.epochs=1")
    assert outcome.code == 0, outcome.err
    return "model"


def test_a_model_s_submission_is_written_and_passes_the_check(genre: Genre, model: str) -> None:
    outcome = genre("submission", "write", model, "data", "--split", "test", "--out", "prediction.zip")
    assert (outcome.code, outcome.out) == (0, "prediction.zip: 20 impressions\n"), outcome.err
    checked = genre("submission", "check", "prediction.zip", "--against", "data", "--split", "test")
    assert (checked.code, checked.out) == (0, "0 problems\n"), checked.err


def test_a_submission_for_another_split_fails_with_file_and_line(genre: Genre, model: str) -> None:
    genre("submission", "write", model, "data", "--split", "test", "--out", "prediction.zip")
    outcome = genre("submission", "check", "prediction.zip", "--against", "data", "--split", "dev", "--json")
    assert outcome.code == 1
    first = json.loads(outcome.out)["problems"][0]
    assert first["where"] == "prediction.zip/prediction.txt:1"
    assert "there is no impression" in first["message"]


@pytest.mark.parametrize(
    ("details", "warnings"),
    [
        ({}, []),
        ({"dangling_candidate_ids": 3}, ["3 candidates were dropped"]),
        ({"impressions_without_candidates": 2}, ["2 impressions without candidates were left out"]),
        ({"dangling_candidate_ids": "\x1b[31m"}, ["\\x1b[31m candidates"]),
    ],
)
def test_what_was_left_out_when_the_set_was_read_is_told(
    genre: Genre, tmp_path: Path, details: dict[str, object], warnings: list[str]
) -> None:
    dataset = read_dataset(Registry.load(), "sample", SMALL)
    lineage = (LineageEntry("read", {"reader": "mine", **details}),)
    save_dataset(attrs.evolve(dataset, lineage=lineage), tmp_path / "data")
    outcome = genre("submission", "write", "no-model", "data")
    assert outcome.code == 2
    told = [line for line in outcome.err.splitlines() if line.startswith("warning: ")]
    assert len(told) == len(warnings)
    assert all(part in line for part, line in zip(warnings, told, strict=True))
    assert "\x1b[31m" not in outcome.err


def test_mistakes_are_told(genre: Genre, tmp_path: Path) -> None:
    save_dataset(read_dataset(Registry.load(), "sample", SMALL), tmp_path / "data")
    missing = genre("submission", "check", "no.zip", "--against", "data")
    assert (missing.code, "no.zip: there is no such file" in missing.err) == (2, True)
    with zipfile.ZipFile("some.zip", "w"):
        pass
    split = genre("submission", "check", "some.zip", "--against", "data", "--split", "tset")
    assert (split.code, "did you mean 'test'?" in split.err) == (2, True)
    assert genre("submission", "write", "no-model", "data").code == 2
