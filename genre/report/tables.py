"""The report's tables: what stands in which cell, ready to be shown."""

from collections.abc import Iterator, Sequence

import attrs

from genre.generation import RoundReport
from genre.generation.costs import Cost, money
from genre.generation.reports import ModelReport
from genre.report.answer import significant
from genre.report.formatting import NONE, figure, interval, plain, probability, signed, signed_interval
from genre.report.plots import watched
from genre.report.run_folder import BEYOND, Curve, Run, SegmentFigure


@attrs.frozen
class Cell:
    """A figure in a table.

    Attributes:
        note: what belongs to it, in small type.
        best: the highest of its column.
    """

    text: str
    note: str = ""
    best: bool = False


@attrs.frozen
class Row:
    """A variant's figures. `leaked`: it rests on answers that were made from more than the prompts say."""

    variant: str
    cells: tuple[Cell, ...]
    leaked: bool = False


@attrs.frozen
class Matrix:
    """Variants by columns.

    Attributes:
        columns: what was trained, or else whatever the cells are of.
        beside: untrained baselines, in columns of their own.
    """

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    beside: tuple[str, ...] = ()


def results(run: Run, split: str, segment: str, metric: str) -> Matrix:
    """A metric of every variant and baseline, with intervals of AUC; the best of each column, leaked ones apart."""
    found = {
        (each.variant, each.baseline): each
        for each in run.figures
        if (each.split, each.segment) == (split, segment) and each.values[metric] is not None
    }
    baselines = [*run.trained, *run.untrained]
    best = {
        name: _highest([each.values[metric] for each in found.values() if each.baseline == name and not each.leaked])
        for name in baselines
    }
    rows = []
    for variant in run.variants:
        leaked = variant in run.leaked
        cells = []
        for baseline in baselines:
            each = found.get((variant, baseline))
            value = None if each is None else each.values[metric]
            bounds = interval(each.auc_low, each.auc_high) if each is not None and metric == "auc" else ""
            cells.append(Cell(figure(value), bounds, value is not None and value == best[baseline] and not leaked))
        rows.append(Row(variant, tuple(cells), leaked))
    return Matrix(tuple(run.trained), tuple(rows), tuple(run.untrained))


def sizes(run: Run, split: str) -> dict[str, int]:
    """How many impressions a split has for each segment."""
    return {each.segment: each.impressions for each in run.figures if each.split == split}


@attrs.frozen
class GainRow:
    """A gain, as a row of a table."""

    variant: str
    baseline: str
    difference: str
    interval: str
    p: str
    p_holm: str
    impressions: str
    significant: bool
    leaked: bool


def gain_rows(run: Run, split: str, segment: str, metric: str) -> list[GainRow]:
    """All gains behind a picture."""
    return [
        GainRow(
            each.variant,
            each.baseline,
            signed(each.difference),
            signed_interval(each.low, each.high),
            probability(each.p),
            probability(each.p_holm),
            f"{each.impressions:,}",
            significant(each, run),
            each.leaked,
        )
        for each in run.all_gains_of(split, segment, metric)
    ]


def by_segment(figures: Sequence[SegmentFigure], run: Run) -> Matrix:
    """AUC of one baseline: segments as columns, in their order, with the impressions of each."""
    counts = {each.segment: each.impressions for each in figures}
    values = {(each.variant, each.segment): each.values["auc"] for each in figures}
    competing = [each for each in run.variants if each not in run.leaked]
    best = {name: _highest([values.get((variant, name)) for variant in competing]) for name in counts}
    rows = []
    for variant in run.variants:
        cells = [(value := values.get((variant, name)), value is not None and value == best[name]) for name in counts]
        leaked = variant in run.leaked
        rows.append(Row(variant, tuple(Cell(figure(each), "", top and not leaked) for each, top in cells), leaked))
    return Matrix(tuple(f"{name} ({count:,})" for name, count in counts.items()), tuple(rows))


def _highest(values: Sequence[float | None]) -> float | None:
    """The highest of several figures, of which not all are equal."""
    known = [value for value in values if value is not None]
    return max(known) if len(set(known)) > 1 else None


@attrs.frozen
class BeyondRow:
    """Figures beyond accuracy of a variant and a baseline."""

    variant: str
    baseline: str
    leaked: bool
    figures: tuple[str, ...]


def cutoffs(run: Run, split: str) -> list[int]:
    """How many first places were looked at."""
    return sorted({each.k for each in run.beyond or () if each.split == split})


def beyond(run: Run, split: str, k: int) -> tuple[list[str], list[BeyondRow]]:
    """Names of the figures that the run has, and a row for each variant and baseline: those of a baseline together."""
    rows = [each for each in run.beyond or () if (each.split, each.k) == (split, k)]
    names = [name for name in BEYOND if any(each.beyond[name] is not None for each in rows)]
    baselines = list(dict.fromkeys([*run.trained, *run.untrained, *(each.baseline for each in rows)]))
    ordered = sorted(rows, key=lambda each: baselines.index(each.baseline))
    return [name.replace("_", " ") for name in names], [
        BeyondRow(
            each.variant,
            each.baseline,
            each.variant in run.leaked,
            tuple(NONE if (value := each.beyond[name]) is None else plain(value, 3) for name in names),
        )
        for each in ordered
    ]


@attrs.frozen
class CurveRow:
    """What a training came to."""

    variant: str
    seed: int
    epochs: int
    best_epoch: int
    best: str
    loss: str


def curve_rows(curves: Sequence[Curve], run: Run) -> list[CurveRow]:
    """Each training of a baseline, at its best epoch."""
    metric = watched(curves, run)
    rows = []
    for curve in curves:
        best = next((each for each in curve.epochs if each.epoch == curve.best_epoch), None)
        if best is not None:
            value = figure(best.metrics[metric]) if metric else NONE
            rows.append(CurveRow(curve.variant, curve.seed, len(curve.epochs), best.epoch, value, f"{best.loss:.4f}"))
    return rows


@attrs.frozen
class YieldRow:
    """What one model did in a round, and what it cost."""

    variant: str
    round: str
    leaked: bool
    model: str
    calls: str
    reused: str
    records: str
    unusable: str
    tokens: str
    cost: str
    per_thousand: str


def yield_rows(run: Run) -> list[YieldRow]:
    """A row for each model of each round; one for a round that nobody answered."""
    return [row for variant, report in _reports(run) for row in _yields(variant, report)]


def _yields(variant: str, report: RoundReport) -> Iterator[YieldRow]:
    if not report.models:
        skipped = f"nobody: {report.skipped:,} skipped"
        yield YieldRow(variant, report.name, report.leaked, skipped, "0", "0", "0", "0", NONE, money(report.cost), NONE)
    for model in report.models:
        paid = Cost.sum((model.cost, model.reused_cost))
        yield YieldRow(
            variant,
            report.name,
            report.leaked,
            model.answerer,
            f"{model.calls:,}",
            f"{model.answers - model.calls:,}",
            f"{model.records:,}",
            _unusable(model),
            f"{model.prompt_tokens:,} + {model.completion_tokens:,}" if model.calls else NONE,
            money(model.cost),
            money(paid.times(1000 / model.records)) if model.records else NONE,
        )


def _unusable(model: ModelReport) -> str:
    """Answers without a record; those that were asked for again apart, so that a row adds up."""
    again = f" + {model.asked_again:,} asked again" if model.asked_again else ""
    return f"{sum(model.quarantined.values()):,}{again}"


def quarantine_rows(run: Run) -> list[tuple[str, str, str, str, str]]:
    """Variant, round, model, reason and count of all answers that could not be used."""
    return [
        (variant, report.name, model.answerer, reason, f"{count:,}")
        for variant, report in _reports(run)
        for model in report.models
        for reason, count in model.quarantined.items()
    ]


def distinct_rows(run: Run) -> list[tuple[str, str, str, str, str, str, str]]:
    """Variant, round, text, records, distinct values, share of the most repeated one, and self-similarity."""
    rows = []
    for variant, report in _reports(run):
        for field, distinct in report.distinct.items():
            most, similarity = report.most_repeated.get(field), report.self_similarity.get(field)
            rows.append(
                (
                    variant,
                    report.name,
                    field,
                    f"{report.records:,}",
                    f"{distinct:,}",
                    NONE if most is None else f"{most:.1%}",
                    NONE if similarity is None else f"{similarity:.3f}",
                )
            )
    return rows


def _reports(run: Run) -> Iterator[tuple[str, RoundReport]]:
    return ((variant, report) for variant, reports in run.rounds.items() for report in reports)
