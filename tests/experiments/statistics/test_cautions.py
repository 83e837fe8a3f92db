"""Warnings of a run, from figures and files that are made here."""

import json
from pathlib import Path

import numpy as np
import pytest

from genre.errors import UsageError
from genre.experiments.statistics.cautions import run_warnings
from genre.experiments.statistics.description import RunDescription, RunVariant, read_description
from genre.experiments.statistics.figures import CellFigures, SplitFigures
from genre.modeling import FeatureSettings


def cell_of(auc: float, seeds: int, *, leaked: bool = False) -> CellFigures:
    return CellFigures(tuple(range(seeds)), np.full((4, 4), auc), {}, leaked)


def figures_of(cells: dict[tuple[str, str], CellFigures]) -> list[SplitFigures]:
    return [SplitFigures("test", np.arange(4), np.arange(4), {}, cells)]


def described(lengths: dict[str, int]) -> RunDescription:
    return RunDescription(
        [RunVariant("original", 0), RunVariant("longer", 1, lengths)], FeatureSettings(texts={"title": 20})
    )


def write_cell(folder: Path, name: str, *, best: int = 1, watched: bool = True, inputs: object = None) -> None:
    metrics = {"auc": 0.5} if watched else {}
    epochs = [{"epoch": epoch, "loss": 1.0, "metrics": metrics, "best": epoch <= best} for epoch in (1, 2, 3)]
    place = folder / "cells" / name
    place.mkdir(parents=True)
    (place / "result.json").write_text(
        json.dumps({"key": "", "rows": [], "training": {"epochs": epochs, "best_epoch": best}, "inputs": inputs or {}})
    )


def test_a_run_without_doubts_has_no_warnings(tmp_path: Path) -> None:
    for seed in range(3):
        write_cell(tmp_path, f"original-nrms-{seed}", inputs={"user_ids": False})
        write_cell(tmp_path, f"original-dcn-{seed}", inputs={"user_ids": False})
    cells = {("original", "nrms"): cell_of(0.7, 3), ("original", "dcn"): cell_of(0.7, 3)}
    cells["original", "popularity"] = cell_of(0.6, 0)
    assert list(run_warnings(tmp_path, figures_of(cells), described({}))) == []


@pytest.mark.parametrize(("seeds", "words"), [(1, "There is one seed"), (2, "There are 2 seeds")])
def test_few_seeds_are_told(tmp_path: Path, seeds: int, words: str) -> None:
    [warning] = run_warnings(tmp_path, figures_of({("original", "nrms"): cell_of(0.7, seeds)}), None)
    assert warning.startswith(words)


def test_a_leaked_variant_is_told(tmp_path: Path) -> None:
    [warning] = run_warnings(tmp_path, figures_of({("replayed", "nrms"): cell_of(0.7, 3, leaked=True)}), None)
    assert "Answers of replayed were made from more than the prompts say" in warning


def test_other_lengths_of_texts_are_told(tmp_path: Path) -> None:
    [warning] = run_warnings(tmp_path, figures_of({("original", "nrms"): cell_of(0.7, 3)}), described({"title": 25}))
    assert "different numbers of tokens of `title`: original 20, longer 25" in warning


def test_a_variant_that_models_do_not_read_is_told(tmp_path: Path) -> None:
    cells = {("original", "nrms"): cell_of(0.7, 3), ("longer", "nrms"): cell_of(0.7, 3)}
    [warning] = run_warnings(tmp_path, figures_of(cells), described({}))
    assert warning.startswith("Every figure of longer is that of a variant without rounds")
    assert "`fusion = true`" in warning


@pytest.mark.parametrize(
    "cell",
    [cell_of(0.71, 3), cell_of(0.7, 4), cell_of(0.7, 0)],
    ids=["other figures", "other seeds", "untrained"],
)
def test_a_variant_of_which_that_is_not_known_is_not(tmp_path: Path, cell: CellFigures) -> None:
    cells = {("original", "nrms"): cell_of(0.7, 3), ("longer", "nrms"): cell}
    assert list(run_warnings(tmp_path, figures_of(cells), described({}))) == []


def test_nothing_is_told_of_variants_where_nothing_was_ranked(tmp_path: Path) -> None:
    nothing = CellFigures((0, 1, 2), np.zeros((0, 4)), {}, leaked=False)
    cells = {(variant, "nrms"): nothing for variant in ("original", "longer")}
    figures = [SplitFigures("test", np.arange(0), np.arange(0), {}, cells)]
    assert list(run_warnings(tmp_path, figures, described({}))) == []


def test_an_untrained_baseline_that_is_better_is_told(tmp_path: Path) -> None:
    cells = {
        ("original", "tf-idf"): cell_of(0.66, 0),
        ("original", "nrms"): cell_of(0.7, 3),
        ("original", "dcn"): cell_of(0.6, 3),
        ("other", "dcn"): cell_of(0.5, 3),
    }
    [warning] = run_warnings(tmp_path, figures_of(cells), None)
    assert (
        warning
        == "On test, tf-idf, which is not trained, has a higher AUC than dcn on original (0.6000 against 0.6600)."
    )


def test_inputs_that_differ_between_baselines_are_told_once(tmp_path: Path) -> None:
    for variant in ("original", "other"):
        for seed in range(3):
            write_cell(tmp_path, f"{variant}-nrms-{seed}", inputs={"user_ids": False, "fields": {"title": 20}})
            write_cell(tmp_path, f"{variant}-lstur-{seed}", inputs={"user_ids": True, "fields": {"title": 20}})
    cells = {(variant, name): cell_of(0.7, 3) for variant in ("original", "other") for name in ("nrms", "lstur")}
    [warning] = run_warnings(tmp_path, figures_of(cells), None)
    assert "ids of users: nrms: no; lstur: yes" in warning


def test_a_training_that_still_improved_is_told(tmp_path: Path) -> None:
    write_cell(tmp_path, "original-nrms-0", best=3)
    write_cell(tmp_path, "original-nrms-1", best=2)
    write_cell(tmp_path, "original-nrms-2", best=3, watched=False)  # the last is the best by default
    [warning] = run_warnings(tmp_path, figures_of({("original", "nrms"): cell_of(0.7, 3)}), None)
    assert warning.startswith("The last epoch was the best of original-nrms-0: ")


@pytest.mark.parametrize("text", ["{", "[]", '{"training": {"epochs": [{}]}}', '{"inputs": 3}'])
def test_a_damaged_result_of_a_cell_names_its_file(tmp_path: Path, text: str) -> None:
    write_cell(tmp_path, "original-nrms-0")
    (tmp_path / "cells" / "original-nrms-0" / "result.json").write_text(text)
    with pytest.raises(UsageError, match=r"not a cell's result.*") as caught:
        list(run_warnings(tmp_path, figures_of({("original", "nrms"): cell_of(0.7, 3)}), None))
    assert "original-nrms-0/result.json" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"experiment": {"variants": [{}]}}',
        '{"experiment": 1}',
        '{"experiment": {"variants": [{"name": "a", "lengths": {"title": "long"}}]}}',
    ],
)
def test_a_damaged_experiment_names_its_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "experiment.json").write_text(text)
    with pytest.raises(UsageError, match="not what a run writes"):
        read_description(tmp_path)
