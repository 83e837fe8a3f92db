"""Reading a run folder: strictly, and with what an older run lacks as None."""

import json
from pathlib import Path

import pytest
from small_run import BASELINES, VARIANTS, change_json, write_small_run

from genre.errors import UsageError
from genre.report.run_folder import read_run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_small_run(tmp_path / "run")


def test_names_are_in_the_order_of_the_results(folder: Path) -> None:
    run = read_run(folder)
    assert (run.name, run.variants, run.splits) == ("small", list(VARIANTS), ["dev"])
    assert (run.trained, run.untrained) == (list(BASELINES), [])  # the summary has the trained ones only


def test_a_folder_without_a_summary_has_means_without_intervals(tmp_path: Path) -> None:
    run = read_run(write_small_run(tmp_path / "run", summary=False))
    assert run.untrained == ["tf-idf"]
    assert {each.auc_low for each in run.figures} == {None}
    assert (run.gains, run.segments, run.beyond, run.detectable, run.warnings) == (None, None, None, None, None)
    [first, *_] = [each for each in run.figures if each.seeds]
    assert (first.seeds, first.values["auc"]) == (2, pytest.approx(0.608))


def test_the_reference_is_the_one_that_the_summary_says(folder: Path) -> None:
    assert read_run(folder).reference == "original"
    change_json(folder / "summary.json", reference="titles")
    assert read_run(folder).reference == "titles"


def test_without_an_original_the_reference_is_the_first_variant_without_rounds(tmp_path: Path) -> None:
    folder = write_small_run(tmp_path / "run", summary=False)
    text = (folder / "results.json").read_text().replace('"original"', '"plain"')
    (folder / "results.json").write_text(text)
    assert read_run(folder).reference == "plain"


def test_keys_of_a_later_version_do_no_harm(folder: Path) -> None:
    summary = json.loads((folder / "summary.json").read_text())
    gains = [{**gain, "users": 7} for gain in summary["gains"]]
    change_json(folder / "summary.json", gains=gains, invented=1)
    assert len(read_run(folder).gains or ()) == len(gains)


def test_a_gain_that_was_not_measured_is_left_out(folder: Path) -> None:
    summary = json.loads((folder / "summary.json").read_text())
    nothing = {**summary["gains"][0], "difference": None, "low": None, "high": None}
    change_json(folder / "summary.json", gains=[nothing, *summary["gains"][1:]])
    assert len(read_run(folder).gains or ()) == len(summary["gains"]) - 1


def test_trainings_of_an_earlier_experiment_in_the_folder_are_left_out(folder: Path) -> None:
    change_json(
        folder / "cells" / "0-nrms-0" / "result.json",
        rows=[{"variant": "gone", "baseline": "nrms", "seed": 0, "split": "dev"}],
    )
    assert len(read_run(folder).curves) == 3 * 2 * 2 - 1


def test_a_name_never_becomes_a_path(folder: Path) -> None:
    (folder / "datasets" / "titles").rename(folder / "elsewhere")
    text = (folder / "results.json").read_text().replace('"titles"', '"../elsewhere"')
    (folder / "results.json").write_text(text)
    (folder / "summary.json").unlink()
    assert set(read_run(folder).datasets) == {"original", "everything"}


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("results.json", "{", "cannot be read"),
        ("results.json", "[]", "no table"),
        ("results.json", '{"rows": []}', "no results"),
        ("results.json", '{"rows": [{}]}', "row 0 has no 'auc'"),
        ("results.json", '{"rows": 1}', "no list"),
        ("summary.json", '{"gains": [1]}', "no list"),
        ("summary.json", '{"warnings": 1}', "no list"),
        ("experiment.json", '{"rounds": []}', "no table"),
        ("experiment.json", '{"rounds": {"titles": [{"models": 1}]}}', "no list"),
        ("cells/0-nrms-0/result.json", "\x00", "cannot be read"),
    ],
)
def test_a_damaged_file_is_named(folder: Path, file: str, text: str, said: str) -> None:
    (folder / file).write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=said) as error:
        read_run(folder)
    assert Path(file).name in str(error.value)
    assert error.value.remedy


def test_a_wrong_value_is_named_with_its_place(folder: Path) -> None:
    summary = json.loads((folder / "summary.json").read_text())
    summary["gains"][3]["low"] = "much"
    change_json(folder / "summary.json", gains=summary["gains"])
    with pytest.raises(UsageError, match=r"summary\.json.*row 3.*low"):
        read_run(folder)


@pytest.mark.parametrize(
    ("name", "value"),
    [("variant", ["x"]), ("segment", 1), ("seed", "0"), ("auc", "high"), ("ndcg@5", []), ("impressions", None)],
)
def test_a_result_of_another_kind_is_named_with_its_row(folder: Path, name: str, value: object) -> None:
    rows = json.loads((folder / "results.json").read_text())["rows"]
    rows[2][name] = value
    change_json(folder / "results.json", rows=rows)
    with pytest.raises(UsageError, match=rf"results\.json: row 2 has the {name} "):
        read_run(folder)
