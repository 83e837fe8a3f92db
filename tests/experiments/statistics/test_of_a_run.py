"""The statistics of a whole run, against loops over what its folder keeps."""

import json
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from command_line import Genre

from genre.dataset import Dataset, load_dataset
from genre.experiments import bootstrap_interval, permutation_test, summarize_run
from genre.modeling import FeatureSettings
from genre.modeling.untrained import news_tf_idf, train_clicks

RUN = Path("runs/tiny")
EXPERIMENT = """
name = "tiny"
baselines = ["nrms", "lstur"]
seeds = [0, 1]
report = ["test"]

[dataset]
reader = "sample"
options = { news = 60, users = 40, train = 80, dev = 20, test = 40 }

[features]
texts = { title = 8 }
history_length = 10

[training]
epochs = 1

[[variants]]
name = "original"

[[variants]]
name = "chain"
rounds = [{ task = "user-profiler" }, { task = "chain-generator", limit = 9, options = { draws = 1 } }]
"""


@pytest.fixture
def summary(genre: Genre, fake_plugin: Path) -> Mapping[str, Sequence[Mapping[str, object]]]:
    (fake_plugin / "tiny.toml").write_text(EXPERIMENT)
    outcome = genre("run", fake_plugin / "tiny.toml")
    assert outcome.code == 0, outcome.err
    value = json.loads((RUN / "summary.json").read_text())
    assert isinstance(value, dict)
    return value


def the(rows: Sequence[Mapping[str, object]], **place: object) -> Mapping[str, object]:
    [row] = [row for row in rows if all(row[name] == value for name, value in place.items())]
    return row


def impressions(cell: str) -> pl.DataFrame:
    return pl.read_parquet(RUN / "cells" / cell / "impressions-test.parquet")


def test_a_summary_has_every_part_and_says_what_the_folder_says(
    summary: Mapping[str, Sequence[Mapping[str, object]]],
) -> None:
    check_gains(summary)
    check_segments(summary)
    check_beyond(summary)
    check_inputs_and_warnings(summary)
    check_the_page()


def check_gains(summary: Mapping[str, Sequence[Mapping[str, object]]]) -> None:
    assert len(summary["gains"]) == 1 * 5 * 3 * 4  # variants but the reference, baselines, segments, metrics
    assert len(summary["detectable"]) == 1 * 5 * 3
    gain = the(summary["gains"], baseline="nrms", segment="all", metric="mrr")
    assert (gain["variant"], gain["reference"], gain["split"], gain["seeds"]) == ("chain", "original", "test", 2)
    tables = {(name, seed): impressions(f"{name}-nrms-{seed}") for name in ("chain", "original") for seed in (0, 1)}
    first, second = (
        np.stack([tables[name, seed]["mrr"].to_numpy() for seed in (0, 1)]) for name in ("chain", "original")
    )
    readers = tables["chain", 0]["reader"]
    dataset = load_dataset(RUN / "datasets" / "original")
    user_of = dict(dataset.readers.select("id", "user").iter_rows())
    users = [user_of[reader] for reader in readers]
    assert gain["difference"] == pytest.approx((first - second).mean())
    assert gain["p"] == pytest.approx(permutation_test(first, second, users=users))
    assert gain["users"] == len(set(users)) < gain["impressions"] == len(users)
    assert float(str(gain["p"])) <= float(str(gain["p_holm"])) <= 1


def check_segments(summary: Mapping[str, Sequence[Mapping[str, object]]]) -> None:
    assert {row["by"] for row in summary["segments"]} == {"history", "category", "popularity"}
    for by in ("history", "category", "popularity"):
        rows = [
            row
            for row in summary["segments"]
            if (row["by"], row["variant"], row["baseline"]) == (by, "chain", "tf-idf")
        ]
        assert sum(int(str(row["impressions"])) for row in rows) == impressions("chain-tf-idf").height
    original = load_dataset(RUN / "datasets" / "original")
    clicks = dict(original.readers.select("id", "clicks").iter_rows())
    table = impressions("chain-tf-idf").with_columns(pl.col("reader").replace_strict(clicks).alias("clicks"))
    short = table.filter(pl.col("clicks").is_between(1, 5))
    row = the(summary["segments"], by="history", segment="1-5", variant="chain", baseline="tf-idf")
    assert row["impressions"] == short.height
    assert row["ndcg@10"] == pytest.approx(short["ndcg@10"].mean())
    expected = bootstrap_interval(short["auc"], users=short["reader"].str.split("@").list.first())
    assert (row["auc"], row["auc_low"], row["auc_high"]) == pytest.approx((expected.mean, expected.low, expected.high))


def check_beyond(summary: Mapping[str, Sequence[Mapping[str, object]]]) -> None:
    dataset = load_dataset(RUN / "datasets" / "chain")
    assert dataset.stats()["generated_news"] == 9
    shown = dataset.impressions.filter(pl.col("split") == "test")
    ties = np.random.default_rng(0).permutation(load_dataset(RUN / "datasets" / "original").news.height)
    lists: list[list[list[int]]] = [[], []]
    for seed in (0, 1):
        scores = impressions(f"chain-nrms-{seed}")["scores"]
        for each, candidates in zip(scores, shown["candidates"], strict=True):
            best = sorted(zip(each, candidates, strict=True), key=lambda pair: (-pair[0], ties[pair[1]]))
            lists[seed] += [[news for _, news in best[:5]]] if len(best) > 5 else []
    row = the(summary["beyond"], variant="chain", baseline="nrms", k=5)
    assert (row["impressions"], row["of"]) == (len(lists[0]), shown.height)
    for name, value in naive_beyond(dataset, lists).items():
        assert row[name] == pytest.approx(value), name
    assert the(summary["beyond"], variant="chain", baseline="popularity", k=5)["personalisation"] == 0


def naive_beyond(dataset: Dataset, lists: list[list[list[int]]]) -> dict[str, float]:
    """Of original texts and clicks; means over two seeds."""
    vectors = news_tf_idf(dataset, FeatureSettings(texts={"title": 8}, categories=(), text_version="original"))
    dense = np.zeros((dataset.news.height, len(vectors.idf)))
    dense[vectors.words.rows, vectors.words.values] = vectors.weights
    clicks = train_clicks(dataset, "train")
    originals = dataset.news.filter(pl.col("origin") == "original").height
    information = -np.log2((clicks + 1) / (clicks.sum() + originals))
    category = dataset.news["category"]
    every = [each for seed in lists for each in seed]
    pools = dataset.impressions.filter((pl.col("split") == "test") & (pl.col("candidates").list.len() > 5))
    catalogue = set(pools["candidates"].explode())
    return {
        "diversity": float(np.mean([1 - dense[a] @ dense[b] for each in every for a, b in combinations(each, 2)])),
        "category_diversity": float(
            np.mean([category[a] != category[b] for each in every for a, b in combinations(each, 2)])
        ),
        "novelty": float(np.mean([information[news] for each in every for news in each])),
        "coverage": float(np.mean([len({news for each in seed for news in each}) / len(catalogue) for seed in lists])),
    }


def check_inputs_and_warnings(summary: Mapping[str, Sequence[Mapping[str, object]]]) -> None:
    inputs = {
        name: json.loads((RUN / "cells" / f"original-{name}-0" / "result.json").read_text())["inputs"]
        for name in ("nrms", "lstur")
    }
    assert inputs["nrms"] == {
        "fields": {"title": 8, "category": 1, "subcategory": 1},
        "tokenizers": [],
        "word_vectors": False,
        "pretrained": False,
        "history_length": 10,
        "user_ids": False,
        "fusion": False,
    }
    assert inputs["lstur"] == {**inputs["nrms"], "user_ids": True}
    warnings = "\n".join(map(str, summary["warnings"]))
    assert "ids of users: nrms: no; lstur: yes" in warnings
    assert "There are 2 seeds" in warnings
    assert "The last epoch was the best of original-nrms-0" in warnings


def check_the_page() -> None:
    page = (RUN / "summary.md").read_text()
    for heading in (
        "## Warnings",
        "### Gains over original on test",
        "### AUC by clicks",
        "### Beyond accuracy, the first 5",
    ):
        assert heading in page
    assert "No difference for any user: popularity (chain)" in page


def test_what_an_older_run_lacks_is_a_warning(summary: Mapping[str, object]) -> None:
    rows = json.loads((RUN / "results.json").read_text())["rows"]
    path = RUN / "cells" / "chain-nrms-1" / "impressions-test.parquet"
    pl.read_parquet(path).drop("scores").write_parquet(path)
    old = summarize_run(RUN, rows)
    assert old.beyond == []
    assert old.segments
    assert "kept no scores" in old.warnings[-1]
    (RUN / "datasets" / "original").rename("elsewhere")
    older = summarize_run(RUN, rows)
    assert (older.beyond, older.segments) == ([], [])
    assert "there is no data set" in older.warnings[-1]
    assert [gain.p for gain in older.gains] == [gain["p"] for gain in summary["gains"]]  # type: ignore[attr-defined]
