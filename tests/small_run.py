"""A run folder that no training made: three variants of the small data set, two baselines, and a full summary."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs
import polars as pl
from small_data import small_dataset

from genre.dataset import Dataset, save_dataset
from genre.generation import RoundReport
from genre.generation.costs import Cost
from genre.generation.reports import ModelReport

METRICS: Final = ("auc", "mrr", "ndcg@5", "ndcg@10")
SEGMENTS: Final = ("all", "new", "warm")
VARIANTS: Final = ("original", "titles", "everything")
BASELINES: Final = ("nrms", "dcn")
SEEDS: Final = (0, 1)


@attrs.frozen
class Words:
    """What others say in a run: models, data files, the experiment's author."""

    title: str = "A better title"
    made: str = "News for you alone"
    topic: str = "gardening"
    model: str = "gpt-small"
    reason: str = "no JSON"
    name: str = "small"
    variant: str = "everything"
    warning: str = "Two seeds only."


WORDS: Final = Words()


def write_small_run(folder: Path, words: Words = WORDS, *, leaked: bool = False, summary: bool = True) -> Path:
    """Write the folder.

    Args:
        leaked: whether the last variant is.
        summary: whether there is a `summary.json`.
    """
    variants = (*VARIANTS[:2], words.variant)
    rows = [row for variant in variants for row in _rows(variant, leaked=leaked and variant == words.variant)]
    _write(folder / "results.json", {"rows": rows})
    if summary:
        _write(folder / "summary.json", small_summary(words, leaked=leaked))
    experiment = {"name": words.name, "dataset": {"reader": "mind"}, "note": words.title}
    rounds = {"original": [], "titles": [_round(words)], words.variant: [_round(words), _round(words)]}
    _write(folder / "experiment.json", {"experiment": experiment, "rounds": rounds})
    datasets = {"original": small_dataset(), "titles": _with_titles(words), words.variant: _with_all(words)}
    for number, (variant, dataset) in enumerate(datasets.items()):
        if "/" not in variant and "\0" not in variant:
            save_dataset(dataset, folder / "datasets" / variant)
        for baseline in BASELINES:
            for seed in SEEDS:
                _write_cell(folder / "cells" / f"{number}-{baseline}-{seed}", variant, baseline, seed, number)
    return folder


def small_summary(words: Words = WORDS, *, leaked: bool = False) -> dict[str, object]:
    """A summary as a run writes it: `titles` gains with `dcn`, and nothing else can be told apart."""
    gains, detectable = [], []
    for variant in ("titles", words.variant):
        for baseline in BASELINES:
            for segment in SEGMENTS:
                place = {"split": "dev", "segment": segment, "baseline": baseline, "variant": variant}
                found = variant == "titles" and baseline == "dcn" and segment != "warm"
                for metric in METRICS:
                    gains.append(
                        {
                            **place,
                            "reference": "original",
                            "metric": metric,
                            "difference": 0.03 if found else -0.002,
                            "low": 0.01 if found else -0.02,
                            "high": 0.05 if found else 0.016,
                            "p": 0.001 if found else 0.8,
                            "p_holm": 0.012 if found else 1.0,
                            "impressions": 2,
                            "seeds": 2,
                            "leaked": leaked and variant == words.variant,
                        }
                    )
                detectable.append({**place, "reference": "original", "effect": 0.025})
    places = [(variant, baseline) for variant in ("original", "titles", words.variant) for baseline in BASELINES]
    return {
        "level": 0.95,
        "resamples": 100,
        "reference": "original",
        "rows": [
            {**row, "seeds": 2, "auc_low": 0.5, "auc_high": 0.7, "leaked": leaked and variant == words.variant}
            for variant, baseline in places
            for row in _figures(variant, baseline)
        ],
        "gains": gains,
        "detectable": detectable,
        "segments": [
            {**row, "by": by, "segment": segment, "auc_low": 0.5, "auc_high": 0.7}
            for by, segments in (("history", ("0", "1-5", ">5")), ("category", ("sports", words.topic)))
            for segment in segments
            for variant, baseline in places
            for row in _figures(variant, baseline)[:1]
        ],
        "beyond": [
            {"variant": variant, "baseline": baseline, "split": "dev", "k": 5, "diversity": 0.5, "coverage": 0.25}
            for variant, baseline in places
        ],
        "warnings": [words.warning],
    }


def change_json(path: Path, **changes: object) -> None:
    """Set keys of a JSON file; None removes one."""
    table = {**json.loads(path.read_text(encoding="utf-8")), **changes}
    _write(path, {name: value for name, value in table.items() if value is not None})


def _figures(variant: str, baseline: str) -> list[dict[str, object]]:
    value = 0.6 + len(variant) / 1000
    place = {"variant": variant, "baseline": baseline, "split": "dev", "impressions": 2}
    return [{**place, "segment": segment, **dict.fromkeys(METRICS, value)} for segment in SEGMENTS]


def _rows(variant: str, *, leaked: bool) -> list[dict[str, object]]:
    trained = [
        {**row, "seed": seed, "leaked": leaked}
        for baseline in BASELINES
        for seed in SEEDS
        for row in _figures(variant, baseline)
    ]
    return [*({**row, "seed": None, "leaked": leaked} for row in _figures(variant, "tf-idf")), *trained]


def _round(words: Words) -> Mapping[str, object]:
    model = ModelReport(
        "api", words.model, 5, 4, 3, {words.reason: 2}, 1200, 300, Cost(0.5), Cost(0.1), repaired=1
    )  # fmt: skip
    report = RoundReport(
        "news-summarizer", "news-summarizer", "api", prompts=5, subjects=3, records=3, reused=1, calls=4,
        quarantined={words.reason: 2}, prompt_tokens=1200, completion_tokens=300, cost=Cost(0.5), reused_cost=Cost(0.1),
        record_cost=Cost(0.2), models=(model,), templates=("abc",), distinct={"title": 2},
        most_repeated={"title": 0.5}, self_similarity={"title": 0.25},
    )  # fmt: skip
    return attrs.asdict(report)


def _with_titles(words: Words) -> Dataset:
    rows = [{"news": 0, "field": "title", "version": "summarizer", "model": words.model, "text": words.title}]
    return small_dataset().with_texts(pl.DataFrame(rows)).with_lineage("round", said=words.title)


def _with_all(words: Words) -> Dataset:
    dataset = _with_titles(words)
    interest = {"reader": 0, "kind": "topics", "version": "profiler", "model": words.model, "rank": 0}
    made = {"reader": 0, "id": "G1", "version": "generator", "model": words.model, "title": words.made}
    return dataset.with_interests(pl.DataFrame([{**interest, "value": words.topic}])).with_generated_news(
        pl.DataFrame([made])
    )


def _write_cell(folder: Path, variant: str, baseline: str, seed: int, number: int) -> None:
    """A training of two epochs; each variant ranks the clicked candidates another way."""
    epochs: Sequence[Mapping[str, object]] = [
        {"epoch": epoch, "loss": 1 / epoch, "metrics": {"auc": 0.5 + epoch / 20 + number / 50}, "best": True}
        for epoch in (1, 2)
    ]
    rows = [
        {**row, "seed": seed, "leaked": False} for row in _figures(variant, baseline)
    ]  # fmt: skip
    _write(folder / "result.json", {"key": "k", "rows": rows, "training": {"epochs": epochs, "best_epoch": 2}})
    impressions = small_dataset().impressions.filter(pl.col("split") == "dev")
    readers = small_dataset().readers["id"].gather(impressions["reader"])
    scores = [[0.1, 0.2], [0.4, 0.3]] if number == 0 else [[0.9, 0.2], [0.1, 0.3]]
    table = pl.DataFrame({"impression": impressions["id"], "reader": readers, "scores": scores})
    table.with_columns(pl.col("scores").cast(pl.List(pl.Float32))).write_parquet(folder / "impressions-dev.parquet")


def _write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
