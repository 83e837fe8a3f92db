"""`genre recommend` on a trained model's folder and on a run folder."""

import json
from pathlib import Path

import pytest
from command_line import Genre, genre_in
from small_data import small_dataset

from genre.dataset import save_dataset

QUICK = ("-o", "training.epochs=1", "-o", "baseline.dim=16", "-o", "features.texts={title=8}")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a data set, and a model that was trained on it."""
    folder = tmp_path_factory.mktemp("project")
    save_dataset(small_dataset(), folder / "small")
    with pytest.MonkeyPatch.context() as patch:
        from click.testing import CliRunner

        from genre.cli.main import genre as command_line

        patch.chdir(folder)
        patch.setenv("XDG_CONFIG_HOME", str(folder / "no-config"))
        done = CliRunner().invoke(command_line, ["train", "small", "--baseline", "nrms", "--out", "model", *QUICK])
        assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def genre(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Genre:
    return genre_in(project, monkeypatch, capsys)


def test_a_table_tells_what_a_user_would_see(genre: Genre) -> None:
    outcome = genre("recommend", "model", "small", "--user", "new", "--top", 3)
    assert outcome.code == 0, outcome.err
    first, header, *rows = outcome.out.splitlines()
    assert first.startswith("for new@")
    assert first.endswith(", new, 3 clicks; of 3 candidates")
    assert header.split() == ["rank", "score", "news", "title", "category"]
    assert len(rows) == 3
    assert "A weekend in Paris" in outcome.out


def test_json_has_ranks_scores_titles_and_categories(genre: Genre) -> None:
    outcome = genre("recommend", "model", "small", "--user", "nobody", "--json")
    assert outcome.code == 0, outcome.err
    told = json.loads(outcome.out)
    assert (told["user"], told["segment"], told["candidates"], told["leaked"]) == ("nobody", "new", 6, False)
    assert [each["rank"] for each in told["news"]] == [1, 2, 3, 4, 5, 6]
    assert {"id", "score", "title", "category", "subcategory"} < set(told["news"][0])


def test_a_reader_without_a_click_is_told_that_the_order_says_nothing(genre: Genre) -> None:
    said = "the model gives all of them the same score: the order is that of the data set, and says nothing"
    assert genre("recommend", "model", "small", "--history", "").out.splitlines()[1] == said
    assert said not in genre("recommend", "model", "small", "--history", "N1").out
    assert json.loads(genre("recommend", "model", "small", "--history", "", "--json").out)["told_apart"] is False


@pytest.mark.parametrize(("history", "clicks"), [("", 0), ("N1", 1), ("N1, N3", 2)])
def test_somebody_new_is_told_by_their_clicks(genre: Genre, history: str, clicks: int) -> None:
    outcome = genre("recommend", "model", "small", "--history", history, "--json")
    assert outcome.code == 0, outcome.err
    told = json.loads(outcome.out)
    assert (told["reader"], told["clicks"], told["candidates"]) == (None, clicks, 6 - clicks)


def test_a_cell_of_a_run_folder_is_a_model_too(genre: Genre, project: Path) -> None:
    for name in ("original-nrms-0", "original-nrms-1"):
        cell = project / "runs" / "mine" / "cells" / name
        cell.mkdir(parents=True, exist_ok=True)
        if not (cell / "model").exists():
            (cell / "model").symlink_to(project / "model")
    told = genre("recommend", "runs/mine", "small", "--cell", "original-nrms-1", "--user", "new", "--json")
    assert told.code == 0, told.err
    assert told.out == genre("recommend", "model", "small", "--user", "new", "--json").out
    assert told.out == genre("recommend", "runs/mine/cells/original-nrms-0", "small", "--user", "new", "--json").out
    unnamed = genre("recommend", "runs/mine", "small", "--user", "new")
    assert unnamed.code == 2
    assert "name one with --cell, such as original-nrms-0; valid: original-nrms-0, original-nrms-1" in unnamed.err
    outside = genre("recommend", "runs/mine", "small", "--cell", "../../model", "--user", "new")
    assert outside.code == 2
    assert "there is no trained cell '../../model'" in outside.err


MISTAKES = {
    "nobody is named": (["model", "small"], ["name either a user or the history"]),
    "an unknown user": (["model", "small", "--user", "nobdy"], ["did you mean 'nobody'?"]),
    "no model": (["nowhere", "small", "--user", "new"], ["nowhere/model.json: no model here"]),
    "no data set": (["model", "nowhere", "--user", "new"], ["nowhere: no data set here"]),
    "a cell of no run": (["model", "small", "--user", "new", "--cell", "x"], ["no run folder with trained models"]),
    "an unknown news of a pool": (["model", "small", "--user", "new", "--pool", "pool"], ["pool:2: there is no news"]),
    "no news at all": (["model", "small", "--user", "new", "--top", "0"], ["--top"]),
    "a time that is none": (["model", "small", "--user", "new", "--since", "today"], ["--since"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_place(genre: Genre, project: Path, mistake: str) -> None:
    (project / "pool").write_text("N1\nM1\n", encoding="utf-8")
    arguments, expected = MISTAKES[mistake]
    outcome = genre("recommend", *arguments)
    assert outcome.code == 2, outcome
    assert "Traceback" not in outcome.err
    for text in expected:
        assert text in outcome.err
