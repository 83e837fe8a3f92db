"""`genre report`, and the report that `genre run` leaves."""

import sys
from pathlib import Path

import pytest
from command_line import Genre
from small_experiment import SMALL_SAMPLE
from small_run import write_small_run

EXPERIMENT = (
    """
name = "tiny"
baselines = ["nrms"]
"""
    + SMALL_SAMPLE
    + """
[training]
epochs = 1

[[variants]]
name = "original"

[[variants]]
name = "all"
rounds = [{ task = "user-profiler" }, { task = "chain-generator", limit = 3, options = { draws = 1 } }]
"""
)


def test_the_report_lies_in_the_run_folder(genre: Genre, tmp_path: Path) -> None:
    write_small_run(tmp_path / "runs" / "small")
    outcome = genre("report", "runs/small")
    assert (outcome.code, outcome.out) == (0, "report: runs/small/report.html\n")
    assert (tmp_path / "runs" / "small" / "report.html").read_text().startswith("<!doctype html>")


def test_the_report_goes_where_it_is_told(genre: Genre, tmp_path: Path) -> None:
    write_small_run(tmp_path / "run")
    assert genre("report", "run", "--out", "here.html").code == 0
    assert (tmp_path / "here.html").is_file()
    assert not (tmp_path / "run" / "report.html").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere",), "there is no such folder"),
        (("empty",), "no run here (results.json is missing)"),
        (("run", "--out", "run/results.json/report.html"), "the report cannot be written"),
        ((), "Missing argument"),
    ],
)
def test_a_mistake_is_told(genre: Genre, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    (tmp_path / "empty").mkdir()
    write_small_run(tmp_path / "run")
    outcome = genre("report", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err


def test_a_run_leaves_a_report(genre: Genre, fake_plugin: Path) -> None:
    (fake_plugin / "tiny.toml").write_text(EXPERIMENT)
    outcome = genre("run", "tiny.toml")
    assert outcome.code == 0, outcome.err
    assert outcome.out.endswith("report: runs/tiny/report.html\n")
    assert "reader" in Path("runs/tiny/report.html").read_text()


def test_a_run_without_matplotlib_tells_how_to_get_a_report(
    genre: Genre, fake_plugin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    (fake_plugin / "tiny.toml").write_text(EXPERIMENT)
    outcome = genre("run", "tiny.toml", "--set", "baselines=[]", "--json")
    assert outcome.code == 0
    assert "pip install 'genre-rec[report]'" in outcome.err
    assert not Path("runs/tiny/report.html").exists()


def test_a_run_folder_with_brackets_in_its_name_is_one_like_others(genre: Genre, tmp_path: Path) -> None:
    write_small_run(tmp_path / "run[1]*")
    outcome = genre("report", "run[1]*")
    assert outcome.code == 0, outcome.err
