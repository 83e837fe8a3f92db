"""`genre run`: variants x baselines x seeds, on a small sample and a generator that answers any schema."""

import json
from pathlib import Path

import polars as pl
import pytest
from command_line import Genre, Outcome
from small_experiment import SMALL_SAMPLE

from genre.dataset import load_dataset

EXPERIMENT = (
    """
name = "tiny"
baselines = ["nrms", "dcn"]
seeds = [0, 1]
report = ["dev", "test"]
"""
    + SMALL_SAMPLE
    + """
[training]
epochs = 1

[overrides.dcn]
dim = 16
interaction_options = { widths = [32] }

[[variants]]
name = "original"

[[variants]]
name = "all"
rounds = [{ task = "user-profiler" }, { task = "chain-generator", limit = 3, options = { draws = 1 } }]
fusion = true
"""
)


@pytest.fixture
def experiment(fake_plugin: Path) -> Path:
    (fake_plugin / "tiny.toml").write_text(EXPERIMENT)
    return fake_plugin / "tiny.toml"


def results(outcome: Outcome) -> list[dict[str, object]]:
    assert outcome.code == 0, outcome.err
    rows = json.loads(outcome.out)["rows"]
    assert isinstance(rows, list)
    return rows


def test_a_number_without_an_end_is_a_text_in_the_description_of_the_run(genre: Genre, experiment: Path) -> None:
    few = ("--set", "variants=[{ name = 'original' }]", "--set", "baselines=['nrms']", "--set", "seeds=[0]")
    assert genre("run", experiment, *few, "--set", "training.clip_norm=inf").code == 0
    said = json.loads(Path("runs/tiny/experiment.json").read_text())["experiment"]
    assert said["training"]["clip_norm"] == "inf"


def test_results_have_a_row_for_each_cell_split_and_segment(genre: Genre, experiment: Path) -> None:
    rows = results(genre("run", experiment, "--json"))
    assert json.loads(Path("runs/tiny/results.json").read_text())["rows"] == rows
    assert len(rows) == 2 * (3 + 2 * 2) * 2 * 3  # variants, untrained and trained cells, splits, segments
    expected = {"variant", "baseline", "seed", "split", "segment", "auc", "mrr", "ndcg@5", "ndcg@10", "impressions"}
    assert all(set(row) == expected | {"leaked"} for row in rows)
    assert {row["segment"] for row in rows} == {"all", "new", "warm"}
    assert all(0 <= float(str(row["auc"])) <= 1 for row in rows if row["segment"] == "all")


def test_new_and_warm_impressions_add_up_to_all(genre: Genre, experiment: Path) -> None:
    rows = results(genre("run", experiment, "--json", "--set", "seeds=[0]", "--set", "baselines=['dcn']"))
    counts = {(row["variant"], row["split"], row["segment"]): int(str(row["impressions"])) for row in rows}
    for variant in ("original", "all"):
        for split in ("dev", "test"):
            assert counts[variant, split, "all"] == counts[variant, split, "new"] + counts[variant, split, "warm"]
            assert counts[variant, split, "new"] == counts["original", split, "new"]


def test_a_second_run_trains_nothing_and_gives_the_same_rows(genre: Genre, experiment: Path) -> None:
    first = results(genre("run", experiment, "--json"))
    models = {path: path.stat().st_mtime_ns for path in Path("runs/tiny/cells").glob("*/model/model.safetensors")}
    assert len(models) == 8
    second = results(genre("run", experiment, "--json"))
    assert second == first
    assert {path: path.stat().st_mtime_ns for path in models} == models


def test_a_changed_setting_trains_again(genre: Genre, experiment: Path) -> None:
    few = ("--json", "--set", "seeds=[0]", "--set", "baselines=['nrms']", "--set", "variants=[{name='original'}]")
    slow = results(genre("run", experiment, *few))
    fast = results(genre("run", experiment, *few, "--set", "training.learning_rate=0.02"))
    assert slow != fast


def test_the_same_seed_gives_the_same_figures_in_another_folder(genre: Genre, experiment: Path) -> None:
    few = ("--json", "--set", "seeds=[1]", "--set", "variants=[{name='original'}]")
    assert results(genre("run", experiment, *few)) == results(genre("run", experiment, *few, "--out", "elsewhere"))


def test_the_run_folder_keeps_data_sets_records_and_every_impression(genre: Genre, experiment: Path) -> None:
    genre("run", experiment, "--set", "seeds=[0]")
    folder = Path("runs/tiny")
    assert load_dataset(folder / "datasets" / "all").stats()["generated_news"] == 3
    assert pl.read_parquet(folder / "rounds/all/01-chain-generator/records/*.parquet").height == 3
    impressions = pl.read_parquet(folder / "cells/original-nrms-0/impressions-test.parquet")
    rows = json.loads((folder / "results.json").read_text())["rows"]
    [row] = [
        row
        for row in rows
        if (row["variant"], row["baseline"], row["split"], row["segment"]) == ("original", "nrms", "test", "all")
    ]
    assert impressions["auc"].mean() == pytest.approx(row["auc"])


def test_untrained_baselines_have_rows_of_every_variant_without_a_seed(genre: Genre, experiment: Path) -> None:
    rows = results(
        genre("run", experiment, "--json", "--set", "baselines=[]", "--set", "untrained=['tf-idf','random']")
    )
    assert {(row["variant"], row["baseline"], row["seed"]) for row in rows} == {
        ("original", "tf-idf", None), ("original", "random", None), ("all", "tf-idf", None), ("all", "random", None),
    }  # fmt: skip
    impressions = pl.read_parquet("runs/tiny/cells/original-tf-idf/impressions-test.parquet")
    [row] = [row for row in rows if [*row.values()][:5] == ["original", "tf-idf", None, "test", "all"]]
    assert impressions["auc"].mean() == pytest.approx(row["auc"])


def test_the_printed_table_shows_untrained_baselines_beside_the_trained(genre: Genre, experiment: Path) -> None:
    outcome = genre("run", experiment, "--set", "variants=[{name='original'}]", "--set", "baselines=['nrms']")
    assert "Results on test, mean over 2 seeds" in outcome.out
    lines = [line.split()[:3] for line in outcome.out.splitlines()]
    for baseline in ("popularity", "tf-idf", "random", "nrms"):
        assert ["original", baseline, "all"] in lines


def test_nothing_trained_has_no_number_of_seeds(genre: Genre, experiment: Path) -> None:
    outcome = genre("run", experiment, "--set", "variants=[{name='original'}]", "--set", "baselines=[]")
    assert "Results on test " in outcome.out  # padded to the width of the table, and no comma


def test_epochs_and_the_end_are_told_to_plugins(genre: Genre, experiment: Path) -> None:
    genre("run", experiment, "--set", "seeds=[0]", "--set", "baselines=['nrms']")
    events = [json.loads(line) for line in Path("events.jsonl").read_text().splitlines()]
    assert events[0]["event"] == "run_planned"
    assert events[0]["rounds"] == [["all", "user-profiler", "fake"], ["all", "chain-generator", "fake"]]
    epochs = [event for event in events if event["event"] == "epoch_finished"]
    assert [(event["baseline"], event["epoch"]) for event in epochs] == [("nrms", 1), ("nrms", 1)]
    assert events[-1] == {"event": "run_finished", "name": "tiny", "rows": 48}


def test_a_veto_stops_before_anything_is_read_or_asked(genre: Genre, experiment: Path) -> None:
    Path("veto").write_text("not on Sundays")
    outcome = genre("run", experiment)
    assert (outcome.code, "not on Sundays" in outcome.err) == (1, True)
    assert not Path("runs").exists()


def test_a_trained_model_is_evaluated_by_its_own_command(genre: Genre, experiment: Path) -> None:
    rows = results(genre("run", experiment, "--json", "--set", "seeds=[0]", "--set", "baselines=['nrms']"))
    model, data = "runs/tiny/cells/all-nrms-0/model", "runs/tiny/datasets/all"
    evaluated = results(genre("evaluate", model, data, "--split", "test", "--json"))
    trained = [row for row in rows if (row["variant"], row["baseline"], row["split"]) == ("all", "nrms", "test")]
    assert [row["auc"] for row in evaluated] == [row["auc"] for row in trained]


def test_train_saves_a_model_that_evaluates(genre: Genre, tmp_path: Path) -> None:
    options = ["news=80", "users=60", "train=120", "dev=40", "test=40"]
    pairs = [argument for option in options for argument in ("-o", option)]
    assert genre("data", "import", "sample", *pairs, "--out", "data").code == 0
    trained = genre("train", "data", "--baseline", "dcn", "--out", "model", "-o", "training.epochs=1")
    assert trained.code == 0, trained.err
    assert "auc" in trained.out
    assert "Results" in genre("evaluate", "model", "data").out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("overrides.nrms.news_options={head=2}", "'head'"),
        ("overrides.nrms.dim=60", "8 attention heads do not divide the width 60"),
        ("overrides.dcn.interaction_options={widths=[-3]}", "widths"),
        ("features.train_split=trian", "features.train_split is 'trian'"),
        ("features.texts={titel=3}", "titel"),
        ("variants=[{name='original', texts='no-such-round'}]", "which none of its rounds writes"),
        ("seeds=[-1]", "seeds"),
        ("untrained=['popular']", "did you mean 'popularity'?"),
        ("untrained=['tf-idf', 'tf-idf']", "stands twice"),
        ("seeds=[10000000000000000]", "seeds"),
    ],
)
def test_a_wrong_setting_of_a_model_is_told_before_the_first_call(
    genre: Genre, experiment: Path, change: str, message: str
) -> None:
    outcome = genre("run", experiment, "--set", change)
    assert outcome.code == 2, outcome
    assert message in outcome.err
    assert not Path(".genre/answers.sqlite").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [("features.train_split=trian", "no split 'trian'"), ("features.texts={titel=3}", "a text field 'titel'")],
)
def test_a_wrong_setting_of_untrained_baselines_is_told_before_the_first_call(
    genre: Genre, experiment: Path, change: str, message: str
) -> None:
    outcome = genre("run", experiment, "--set", "baselines=[]", "--set", change)
    assert outcome.code == 2, outcome
    assert message in outcome.err
    assert not Path(".genre/answers.sqlite").exists()


def test_a_variant_keeps_more_tokens_of_a_longer_title(genre: Genre, experiment: Path) -> None:
    few = ("--set", "seeds=[0]", "--set", "baselines=['nrms']")
    genre("run", experiment, *few, "--set", "variants=[{name='original', lengths={title=25}}]")
    config = json.loads(Path("runs/tiny/cells/original-nrms-0/model/model.json").read_text())
    assert config["settings"]["texts"] == {"title": 25}
