"""A small run without an LLM, and what its folder says of the figures that trackers show."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genre.experiments import DatasetSpec, Experiment, RunResult, VariantSpec, run_experiment
from genre.modeling import FeatureSettings, TrainingSettings
from genre.parts import CellFinished, EpochFinished, RunEvent, RunPlan, TrackedRun, Tracker
from genre.registry import Registry
from genre.settings import Settings

METRICS = ("auc", "mrr", "ndcg@5", "ndcg@10")
Curve = list[tuple[int, float]]


def run_tracked(folder: Path, trackers: Sequence[str], settings: Mapping[str, object] | None = None) -> RunResult:
    """Run it in `folder / "runs"`, or go on with it."""
    experiment = Experiment(
        name="tiny",
        dataset=DatasetSpec("sample", {"news": 80, "users": 60, "train": 120, "dev": 40, "test": 40}),
        variants=(VariantSpec("original"),),
        baselines=("nrms",),
        untrained=("popularity",),
        seeds=(0, 1),
        report=("dev", "test"),
        features=FeatureSettings(texts={"title": 8}, history_length=10),
        training=TrainingSettings(epochs=2),
        trackers=tuple(trackers),
        settings=Settings(()) if settings is None else settings,  # type: ignore[arg-type]
    )
    return run_experiment(experiment, Registry.load(), folder=folder / "runs", store=folder / "answers.sqlite")


def epochs_of(folder: Path, cell: str) -> dict[str, Curve]:
    """The learning curve of a cell's `result.json`, by `epoch/...`."""
    result: dict[str, Any] = json.loads((folder / "runs" / "cells" / cell / "result.json").read_text())
    curves: dict[str, Curve] = {}
    for each in result["training"]["epochs"]:
        curves.setdefault("epoch/loss", []).append((each["epoch"], each["loss"]))
        for name, value in each["metrics"].items():
            curves.setdefault(f"epoch/{name}", []).append((each["epoch"], value))
    return curves


def finals_of(folder: Path, cell: str) -> dict[str, float]:
    """The figures of a cell in `results.json`, by `SPLIT/SEGMENT/METRIC`."""
    rows: list[dict[str, Any]] = json.loads((folder / "runs" / "results.json").read_text())["rows"]
    seedless = [row for row in rows if row["seed"] is None]
    of_cell = [row for row in rows if f"{row['variant']}-{row['baseline']}-{row['seed']}" == cell]
    of_cell += [row for row in seedless if f"{row['variant']}-{row['baseline']}" == cell]
    return {f"{row['split']}/{row['segment']}/{name}": row[name] for row in of_cell for name in METRICS}


def tell(tracker: Tracker, *events: RunEvent) -> None:
    """Tell it all of them."""
    for event in events:
        tracker.track(event)


def made(name: str, run: TrackedRun, **options: object) -> Tracker:
    """A tracker, as runs make it."""
    tracker: Any = Registry.load().create("tracker", name, options, run=run)
    tell(tracker, RunPlan(run.name, ()))
    return tracker  # type: ignore[no-any-return]


def epoch(number: int, loss: float | None = None, seed: int = 0) -> EpochFinished:
    """An epoch whose loss tells which it was."""
    return EpochFinished("original", "nrms", seed, number, float(number) if loss is None else loss, {"ndcg@5": 0.25})


def cell(*epochs: EpochFinished, auc: float = 0.75) -> CellFinished:
    """A finished cell with this training."""
    row = {"variant": "original", "baseline": "nrms", "seed": 0, "split": "test", "segment": "all"}
    return CellFinished("original", "nrms", 0, [{**row, "auc": auc, "impressions": 4, "leaked": False}], epochs)
