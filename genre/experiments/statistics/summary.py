"""What a run says: figures, gains, segments, what is beyond accuracy, and warnings."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs
import numpy as np

from genre.dataset import load_dataset
from genre.experiments.results import mean_rows
from genre.experiments.statistics.beyond import Catalogue, beyond_rows, has_scores
from genre.experiments.statistics.bootstrap import LEVEL, RESAMPLES, Interval, intervals, resampled_means, user_sums
from genre.experiments.statistics.cautions import run_warnings
from genre.experiments.statistics.description import RunDescription, read_description, reference_variant
from genre.experiments.statistics.figures import SplitFigures, cells_of, read_figures
from genre.experiments.statistics.gains import AUC, Comparison, Gain, compare_baselines, find_gains
from genre.experiments.statistics.segments import segment_rows
from genre.modeling.metrics import METRICS
from genre.modeling.untrained import train_clicks


@attrs.frozen
class Summary:
    """All that is known of a run.

    Attributes:
        rows: a row for each variant, baseline, split and segment: the means over the seeds of each metric, `auc_low`
            and `auc_high` (of these trained models, over users; None without impressions), `impressions`, `leaked` and
            `seeds` (0 for what is untrained).
        reference: the variant that others are compared with; None without results.
        gains: each variant against the reference variant.
        comparisons: each two baselines of a variant on a split, over all readers.
        segments: means of each metric by length of history, category and popularity, see `segment_rows`.
        beyond: diversity, coverage, novelty and personalisation, see `beyond_rows`.
        warnings: what a careful reader would ask.
    """

    rows: Sequence[Mapping[str, object]]
    reference: str | None
    gains: Sequence[Gain]
    comparisons: Sequence[Comparison]
    segments: Sequence[Mapping[str, object]] = ()
    beyond: Sequence[Mapping[str, object]] = ()
    warnings: Sequence[str] = ()

    @property
    def detectable(self) -> list[dict[str, object]]:
        """The smallest AUC difference that each comparison with the reference would have found."""
        keys = ("split", "segment", "baseline", "variant", "reference", "effect")
        return [{key: getattr(gain, key) for key in keys} for gain in self.gains if gain.metric == METRICS[AUC]]


def summarize_run(folder: Path, rows: Sequence[Mapping[str, object]]) -> Summary:
    """Statistics from the rows of `results.json`, and what the run folder keeps of impressions and data sets.

    Raises:
        UsageError: the figures of some cell's impressions are missing or not those of the other cells, or another file
            of the run is damaged.
    """
    if not rows:
        return Summary((), None, (), ())
    description = read_description(folder)
    figures = [read_figures(folder, rows, split) for split in dict.fromkeys(str(row["split"]) for row in rows)]
    reference = reference_variant(figures[0].variants, description.plain if description else ())
    found: dict[tuple[object, ...], Interval] = {}
    for split in figures:
        found |= _row_intervals(split)
    summarized: list[Mapping[str, object]] = []
    for row in mean_rows(rows):
        interval = found.get((row["variant"], row["baseline"], row["split"], row["segment"]))
        low, high = (interval.low, interval.high) if interval else (None, None)
        summarized.append({**row, "auc_low": low, "auc_high": high})
    segments, beyond, missing = _from_the_data_set(folder, rows, figures, reference, description)
    return Summary(
        rows=summarized,
        reference=reference,
        gains=[gain for split in figures for gain in find_gains(split, reference)],
        comparisons=[each for split in figures for name in split.variants for each in compare_baselines(split, name)],
        segments=segments,
        beyond=beyond,
        warnings=[*run_warnings(folder, figures, description), *missing],
    )


def as_json(summary: Summary) -> dict[str, object]:
    """What `summary.json` holds."""
    return {
        "level": LEVEL,
        "resamples": RESAMPLES,
        "reference": summary.reference,
        "rows": summary.rows,
        "gains": [_flat(gain) for gain in summary.gains],
        "comparisons": [{**_flat(each), "told_apart": each.told_apart} for each in summary.comparisons],
        "segments": summary.segments,
        "beyond": summary.beyond,
        "detectable": summary.detectable,
        "warnings": summary.warnings,
    }


def _row_intervals(figures: SplitFigures) -> dict[tuple[object, ...], Interval]:
    """The interval of AUC of each variant, baseline, split and segment: of these trained models, over users."""
    found: dict[tuple[object, ...], Interval] = {}
    auc = np.column_stack([cell.metrics[:, AUC] for cell in figures.cells.values()])
    for segment, members in figures.segments.items():
        if members.any():
            shown = auc[members]
            each = intervals(shown.mean(axis=0), resampled_means(user_sums(shown, figures.users[members])))
            places = [(*place, figures.split, segment) for place in figures.cells]
            found |= dict(zip(places, each, strict=True))
    return found


def _from_the_data_set(
    folder: Path,
    rows: Sequence[Mapping[str, object]],
    figures: Sequence[SplitFigures],
    reference: str,
    description: RunDescription | None,
) -> tuple[list[Mapping[str, object]], list[Mapping[str, object]], list[str]]:
    """Segments, what is beyond accuracy, and what there is a warning of because something needed is not there.

    Clicks, categories, candidates and original texts are the same in every variant's data set, so one is read.
    """
    place = folder / "datasets" / reference
    if description is None or not place.is_dir():
        return [], [], [f"Segments and figures beyond accuracy are missing: there is no data set in {place.name!r}."]
    dataset = load_dataset(place)
    clicks = train_clicks(dataset, description.features.train_split)
    catalogue: Catalogue | None = None
    segments: list[Mapping[str, object]] = []
    beyond: list[Mapping[str, object]] = []
    old: list[str] = []
    for each in figures:
        segments += segment_rows(each, dataset, clicks)
        cells = [cell for group in cells_of(rows, each.split).values() for cell in group]
        if all(has_scores(folder, cell, each.split) for cell in cells):
            catalogue = catalogue or Catalogue.of(dataset, description.features, clicks)
            beyond += beyond_rows(folder, rows, each.split, dataset, catalogue)
        else:
            old = ["Figures beyond accuracy are missing: some cells are of a version that kept no scores."]
    return segments, beyond, old


def _flat(record: Gain | Comparison) -> dict[str, object]:
    """A record as JSON, whose interval is `difference`, `low` and `high`."""
    flat: dict[str, object] = {}
    for name, value in attrs.asdict(record, recurse=False).items():
        if isinstance(value, Interval):
            flat |= {name: value.mean, "low": value.low, "high": value.high}
        else:
            flat[name] = value
    return flat
