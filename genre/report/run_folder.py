"""What a run folder says, read strictly. What an older run did not write is None, so that a report can say so."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import UnionType
from typing import Final, TypeVar

import attrs

from genre.errors import UsageError
from genre.experiments.results import CELL_RESULT, EXPERIMENT_JSON, RESULTS_JSON, SUMMARY_JSON, mean_rows
from genre.experiments.statistics.description import reference_variant
from genre.generation import RoundReport
from genre.generation.reports import ModelReport
from genre.modeling.metrics import METRICS
from genre.options import option_names, structure
from genre.report.json_tables import Rows, json_table, rows_of

_T = TypeVar("_T")

BEYOND: Final = (
    "diversity",
    "category_diversity",
    "coverage",
    "category_coverage",
    "novelty",
    "personalisation",
    "inter_list_distance",
    "gini",
)
"""Figures beyond accuracy. A run has some of them or all."""


@attrs.frozen
class Place:
    """What a figure is of: a variant and a baseline on the readers of a segment of a split."""

    variant: str
    baseline: str
    split: str
    segment: str


@attrs.frozen
class Figure(Place):
    """Means over the seeds.

    Attributes:
        values: by metric; None where nothing was measured.
        seeds: how many there are; 0 for what is untrained.
        auc_low, auc_high: interval of AUC; None without a summary.
    """

    impressions: int
    leaked: bool
    seeds: int
    values: Mapping[str, float | None]
    auc_low: float | None = None
    auc_high: float | None = None


@attrs.frozen
class Gain(Place):
    """A variant against the reference variant of the same baseline, over the same impressions.

    Attributes:
        p: of a paired test; `p_holm` is corrected for all comparisons of its family, and None for what is in none.
    """

    reference: str
    metric: str
    difference: float
    low: float
    high: float
    impressions: int
    seeds: int
    leaked: bool
    p: float | None = None
    p_holm: float | None = None


@attrs.frozen
class SegmentFigure(Place):
    """Means over the seeds for readers or news of a kind.

    Attributes:
        by: `"history"`, `"category"` or `"popularity"`.
    """

    by: str
    impressions: int
    values: Mapping[str, float | None]
    auc_low: float | None = None
    auc_high: float | None = None


@attrs.frozen
class Beyond:
    """What is recommended besides what was clicked, in the first `k` places; means over the seeds.

    Attributes:
        beyond: figures by name, see `BEYOND`; None where one cannot be measured.
    """

    variant: str
    baseline: str
    split: str
    k: int
    beyond: Mapping[str, float | None]


@attrs.frozen
class Detectable(Place):
    """The smallest difference of AUC to the reference that so many impressions can show."""

    reference: str
    effect: float | None = None


@attrs.frozen
class Epoch:
    """One epoch of a training; `metrics` are of the split that stops it early."""

    epoch: int
    loss: float
    metrics: Mapping[str, float]


@attrs.frozen
class Curve:
    """How one training went."""

    variant: str
    baseline: str
    seed: int
    epochs: tuple[Epoch, ...]
    best_epoch: int


@attrs.frozen(eq=False)
class Run:
    """A run folder's figures. Names are in the order of the results.

    Attributes:
        experiment: as it was understood; empty in a folder without it.
        rounds: what each round of each variant did.
        figures: a row for each variant, baseline, split and segment.
        level: of the intervals.
        said_reference: the variant that the summary compares others with, if it says so.
        gains, segments, beyond, detectable, warnings: None where the run's summary does not have them.
        curves: of the trainings that the folder keeps.
        cells: the folder of each training.
    """

    folder: Path
    experiment: Mapping[str, object]
    rounds: Mapping[str, Sequence[RoundReport]]
    figures: Sequence[Figure]
    level: float
    said_reference: str | None
    gains: Sequence[Gain] | None
    segments: Sequence[SegmentFigure] | None
    beyond: Sequence[Beyond] | None
    detectable: Sequence[Detectable] | None
    warnings: Sequence[str] | None
    curves: Sequence[Curve]
    cells: Mapping[tuple[str, str, int], Path]

    @property
    def name(self) -> str:
        """The experiment's name, or else the folder's."""
        name = self.experiment.get("name")
        return name if isinstance(name, str) else self.folder.resolve().name

    @property
    def stop_metric(self) -> str | None:
        """The metric that picks the best epoch of a training, if the experiment tells it."""
        training = self.experiment.get("training")
        metric = training.get("stop_metric") if isinstance(training, Mapping) else None
        return metric if isinstance(metric, str) else None

    @cached_property
    def variants(self) -> list[str]:
        """All variants."""
        return list(dict.fromkeys(each.variant for each in self.figures))

    @cached_property
    def splits(self) -> list[str]:
        """All splits of the results."""
        return list(dict.fromkeys(each.split for each in self.figures))

    @cached_property
    def trained(self) -> list[str]:
        """Baselines that were trained."""
        return list(dict.fromkeys(each.baseline for each in self.figures if each.seeds))

    @cached_property
    def untrained(self) -> list[str]:
        """Baselines that nothing trains."""
        return list(dict.fromkeys(each.baseline for each in self.figures if not each.seeds))

    @cached_property
    def leaked(self) -> set[str]:
        """Variants that rest on answers which were made from more than the prompts say."""
        return {each.variant for each in self.figures if each.leaked}

    @property
    def reference(self) -> str:
        """The variant that all others are compared with: `original`, else the first without rounds, else the first."""
        if self.said_reference in self.variants:
            return str(self.said_reference)
        return reference_variant(self.variants, [each for each in self.variants if not self.rounds.get(each)])

    @cached_property
    def datasets(self) -> Mapping[str, Path]:
        """Folders of the variants' data sets. Names of the results are compared with them, never made into paths."""
        folders = {path.name: path for path in _folders(self.folder / "datasets")}
        return {name: folders[name] for name in self.variants if name in folders}

    def gains_of(self, split: str, segment: str, metric: str = "auc") -> list[Gain]:
        """Gains of a metric, on a split, for the readers of a segment; of trained baselines, if there are any."""
        gains = self.all_gains_of(split, segment, metric)
        return [each for each in gains if each.seeds] or gains

    def all_gains_of(self, split: str, segment: str, metric: str = "auc") -> list[Gain]:
        """The same of all baselines, untrained ones too."""
        place = (split, segment, metric)
        return [each for each in self.gains or () if (each.split, each.segment, each.metric) == place]

    def detectable_effect(self, gain: Gain) -> float | None:
        """The smallest difference that the comparison could show; None where nobody worked it out, or not of AUC."""
        if gain.metric == "auc":
            for each in self.detectable or ():
                if (each.split, each.segment, each.baseline, each.variant) == (
                    gain.split, gain.segment, gain.baseline, gain.variant
                ):  # fmt: skip
                    return each.effect
        return None


def read_run(folder: Path) -> Run:
    """Read a run folder.

    Raises:
        UsageError: it is missing, not a run folder, or a file in it is damaged.
    """
    results = json_table(folder / RESULTS_JSON)
    if results is None:
        raise UsageError(
            f"no run here ({RESULTS_JSON} is missing)" if folder.is_dir() else "there is no such folder",
            where=folder,
            remedy="name a folder that `genre run` wrote, such as runs/quickstart",
        )
    rows = rows_of(results, "rows", folder / RESULTS_JSON) or ()
    if not rows:
        raise UsageError("the run has no results", where=folder / RESULTS_JSON, remedy="run the experiment again")
    _check_results(rows, folder / RESULTS_JSON)
    path = folder / SUMMARY_JSON
    summary = json_table(path) or {}
    means = rows_of(summary, "rows", path)
    described = json_table(folder / EXPERIMENT_JSON) or {}
    experiment = described.get("experiment")
    level = summary.get("level")
    figures = _records(mean_rows(rows) if means is None else means, Figure, path)
    cells = dict(_cells(folder / "cells", {(each.variant, each.baseline) for each in figures}))
    gains = rows_of(summary, "gains", path)
    return Run(
        folder=folder,
        experiment=experiment if isinstance(experiment, Mapping) else {},
        rounds=_rounds(described, folder / EXPERIMENT_JSON),
        figures=figures,
        level=level if isinstance(level, float) else 0.95,
        said_reference=_said_reference(summary, gains or ()),
        gains=None if gains is None else _records([row for row in gains if _measured(row)], Gain, path),
        segments=_optional(summary, "segments", SegmentFigure, path),
        beyond=_optional(summary, "beyond", Beyond, path),
        detectable=_optional(summary, "detectable", Detectable, path),
        warnings=_warnings(summary, path),
        curves=[curve for curve, _ in cells.values()],
        cells={key: place for key, (_, place) in cells.items()},
    )


def _said_reference(summary: Mapping[str, object], gains: Rows) -> str | None:
    said = summary.get("reference", gains[0].get("reference") if gains else None)
    return said if isinstance(said, str) else None


def _measured(row: Mapping[str, object]) -> bool:
    return all(row.get(name) is not None for name in ("difference", "low", "high"))


_KINDS: Final[Mapping[str, type | UnionType]] = {
    **dict.fromkeys(("variant", "baseline", "split", "segment"), str),
    "seed": int | None,
    **dict.fromkeys(METRICS, float | int | None),
    "impressions": int,
}


def _check_results(rows: Rows, path: Path) -> None:
    needed = {"variant", "baseline", "seed", "split", "segment", *METRICS, "impressions", "leaked"}
    for number, row in enumerate(rows):
        if missing := sorted(needed - set(row)):
            raise UsageError(f"row {number} has no {missing[0]!r}", where=path, remedy="run the experiment again")
        for name, kinds in _KINDS.items():
            if not isinstance(row[name], kinds):
                said = f"row {number} has the {name} {row[name]!r}"
                raise UsageError(said, where=path, remedy="run the experiment again")


def _cells(folder: Path, wanted: set[tuple[str, str]]) -> Iterator[tuple[tuple[str, str, int], tuple[Curve, Path]]]:
    """The trainings that a folder keeps, with their places; those of earlier experiments in it are left out."""
    for place in _folders(folder):
        path = place / CELL_RESULT
        result = json_table(path)
        if result is None:
            continue
        rows, training = rows_of(result, "rows", path), result.get("training")
        if not rows or not isinstance(training, Mapping):
            continue
        epochs = _records(rows_of(training, "epochs", path) or (), Epoch, path)
        known = {"epochs": [attrs.asdict(each) for each in epochs], "best_epoch": training.get("best_epoch")}
        curve = _record({**rows[0], **known}, Curve, f"{path}, training")
        if (curve.variant, curve.baseline) in wanted:
            yield (curve.variant, curve.baseline, curve.seed), (curve, place)


def _rounds(described: Mapping[str, object], path: Path) -> dict[str, list[RoundReport]]:
    rounds = described.get("rounds", {})
    if not isinstance(rounds, Mapping):
        raise UsageError("`rounds` is no table", where=path, remedy="run the experiment again")
    found = {}
    for variant in rounds:
        found[str(variant)] = [_round(row, f"{path}, {variant}") for row in rows_of(rounds, variant, path) or ()]
    return found


def _round(row: Mapping[str, object], where: str) -> RoundReport:
    models = row.get("models", [])
    if not isinstance(models, list):
        raise UsageError("`models` is no list", where=where, remedy="run the experiment again")
    known = [attrs.asdict(_record(model, ModelReport, where)) for model in models]
    return _record({**row, "models": known}, RoundReport, where)


def _warnings(summary: Mapping[str, object], path: Path) -> list[str] | None:
    warnings = summary.get("warnings")
    if warnings is None:
        return None
    if not isinstance(warnings, list):
        raise UsageError("`warnings` is no list", where=path, remedy="run the experiment again")
    return [str(each) for each in warnings]


def _optional(summary: Mapping[str, object], key: str, cls: type[_T], path: Path) -> list[_T] | None:
    rows = rows_of(summary, key, path)
    return None if rows is None else _records(rows, cls, f"{path}, {key}")


def _records(rows: Rows, cls: type[_T], where: str | Path) -> list[_T]:
    return [_record(row, cls, f"{where}, row {number}") for number, row in enumerate(rows)]


def _record(row: object, cls: type[_T], where: str) -> _T:
    """A record of what this version knows of a row: a later one may say more."""
    if not isinstance(row, Mapping):
        raise UsageError(f"{row!r} is no table", where=where, remedy="run the experiment again")
    values = {
        "segment": "all",
        **row,
        "values": {name: row.get(name) for name in METRICS},
        "beyond": {name: row.get(name) for name in BEYOND},
    }
    return structure({name: values[name] for name in option_names(cls) if name in values}, cls, where)


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
