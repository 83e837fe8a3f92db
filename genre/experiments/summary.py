"""What a run says: means with intervals, and which baseline beats which; `summary.json` and `summary.md`."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Final

import attrs
import numpy as np
import polars as pl
from numpy.typing import NDArray

from genre.errors import UsageError
from genre.experiments.results import METRICS, Cell, UntrainedCell, mean_rows, write_json
from genre.experiments.statistics import LEVEL, RESAMPLES, Interval, intervals, resampled_means

SUMMARY_JSON: Final = "summary.json"
SUMMARY_MD: Final = "summary.md"


@attrs.frozen
class Comparison:
    """Two baselines on the same impressions of a split, the one with the higher AUC first.

    Attributes:
        difference: of their AUC, averaged over seeds.
        leaked: the variant rests on answers that were made from more than the prompts say.
    """

    variant: str
    split: str
    first: str
    second: str
    difference: Interval
    leaked: bool

    @property
    def told_apart(self) -> bool:
        """Whether the interval of the difference excludes 0."""
        return self.difference.excludes_zero

    @property
    def sentence(self) -> str:
        """What is found, for people."""
        figures = f"{self.difference.mean:.3f} [{self.difference.low:.3f}, {self.difference.high:.3f}]"
        if self.told_apart:
            return f"{self.first} beats {self.second} by {figures}"
        return f"{self.first} and {self.second} cannot be told apart: {figures}"


@attrs.frozen
class Summary:
    """Figures and comparisons of a run.

    Attributes:
        rows: a row for each variant, baseline, split and segment: the means over the seeds of each metric, `auc_low`
            and `auc_high` (None without impressions), `impressions`, `leaked` and `seeds` (0 for what is untrained).
        comparisons: each two baselines of a variant on a split, over all readers.
    """

    rows: Sequence[Mapping[str, object]]
    comparisons: Sequence[Comparison]


def write_summary(folder: Path, name: str, rows: Sequence[Mapping[str, object]]) -> Summary:
    """Write `summary.json` and `summary.md` into a run folder.

    Args:
        name: the experiment's.
        rows: those of `results.json`.

    Raises:
        UsageError: the figures of some cell's impressions are missing or not those of its variant.
    """
    summary = summarize_run(folder, rows)
    comparisons = [
        {**attrs.asdict(each, filter=lambda field, _: field.name != "difference"), **_plain(each)}
        for each in summary.comparisons
    ]
    value = {"level": LEVEL, "resamples": RESAMPLES, "rows": summary.rows, "comparisons": comparisons}
    write_json(folder / SUMMARY_JSON, value)
    (folder / SUMMARY_MD).write_text(as_markdown(name, summary), encoding="utf-8")
    return summary


def summarize_run(folder: Path, rows: Sequence[Mapping[str, object]]) -> Summary:
    """Means and intervals from the rows of `results.json` and the impressions that the run folder keeps.

    An interval is the bootstrap's over impressions, of AUC averaged over seeds; it does not say what other seeds would
    give.

    Raises:
        UsageError: as `write_summary`.
    """
    means = mean_rows(rows)
    found: dict[tuple[object, ...], Interval] = {}
    comparisons: list[Comparison] = []
    for variant, split in dict.fromkeys((str(row["variant"]), str(row["split"])) for row in rows):
        place = [row for row in rows if (row["variant"], row["split"]) == (variant, split)]
        figures = _read_figures(folder / "cells", place, split)
        segments = {"all": np.ones_like(figures.is_new), "new": figures.is_new, "warm": ~figures.is_new}
        for segment, members in segments.items():
            if members.any():
                auc = figures.auc[members]
                each = intervals(auc, resampled_means(auc))
                found |= {
                    (variant, split, segment, name): one for name, one in zip(figures.baselines, each, strict=True)
                }
        comparisons += _compare(figures, variant, split, leaked=any(bool(row["leaked"]) for row in place))
    summarized = []
    for row in means:
        interval = found.get((row["variant"], row["split"], row["segment"], row["baseline"]))
        low, high = (interval.low, interval.high) if interval else (None, None)
        summarized.append({**row, "auc_low": low, "auc_high": high})
    return Summary(summarized, comparisons)


def as_markdown(name: str, summary: Summary) -> str:
    """The summary for people: a table and findings for each split."""
    lines = [
        f"# {name}",
        "",
        f"Means over the seeds. In brackets: the {LEVEL:.0%} bootstrap interval over impressions, of AUC averaged over "
        "the seeds. It does not say what other seeds would give. Each interval stands by itself: among many "
        "comparisons some exclude 0 by chance.",
    ]
    for split in dict.fromkeys(str(row["split"]) for row in summary.rows):
        head = ("variant", "baseline", "readers", "auc", "interval", *METRICS[1:], "impressions", "seeds")
        lines += ["", f"## {split}", "", _line(head), _line(["---"] * len(head))]
        lines += [_line(_cells(row)) for row in summary.rows if row["split"] == split]
        of_split = [each for each in summary.comparisons if each.split == split]
        for variant in dict.fromkeys(each.variant for each in of_split):
            found = sorted((each for each in of_split if each.variant == variant), key=lambda each: not each.told_apart)
            mark = " (leaked)" if found[0].leaked else ""
            lines += ["", f"{variant}{mark}, AUC over all readers:", ""]
            lines += [f"- {each.sentence}" for each in found]
    return "\n".join(lines) + "\n"


@attrs.frozen(eq=False)
class _Figures:
    """AUC of B baselines on the I impressions that have something to rank.

    Attributes:
        baselines: their names (B,).
        auc: averaged over the seeds (I, B).
        is_new: whether the reader is new (I,).
    """

    baselines: Sequence[str]
    auc: NDArray[np.float64]
    is_new: NDArray[np.bool_]


def _read_figures(cells: Path, rows: Sequence[Mapping[str, object]], split: str) -> _Figures:
    tables: dict[str, list[pl.DataFrame]] = {}
    variant = str(rows[0]["variant"])
    for baseline, seed in dict.fromkeys((str(row["baseline"]), row["seed"]) for row in rows):
        cell = UntrainedCell(variant, baseline) if seed is None else Cell(variant, baseline, int(str(seed)))
        tables.setdefault(baseline, []).append(_read(cells / cell.name / f"impressions-{split}.parquet"))
    first = next(iter(tables.values()))[0]
    for baseline, each in tables.items():
        if any(not table["impression"].equals(first["impression"]) for table in each):
            raise UsageError(
                f"the impressions of {variant}, {baseline} on {split} are not those of its other baselines",
                where=cells,
                remedy="delete the folder, and run again",
            )
    ranked = first["auc"].is_not_null()
    auc = [
        np.mean([table["auc"].filter(ranked).to_numpy() for table in each], axis=0, dtype=np.float64)
        for each in tables.values()
    ]
    return _Figures(tuple(tables), np.column_stack(auc), first["is_new"].filter(ranked).to_numpy())


def _compare(figures: _Figures, variant: str, split: str, *, leaked: bool) -> list[Comparison]:
    """Each two baselines, best first."""
    best_first = np.argsort(-figures.auc.sum(axis=0), kind="stable").tolist()
    pairs = list(combinations(best_first, 2))
    if not pairs or not len(figures.auc):
        return []
    # Differences are resampled, not subtracted afterwards: those of equal figures are exactly 0 then.
    differences = np.column_stack([figures.auc[:, one] - figures.auc[:, other] for one, other in pairs])
    return [
        Comparison(variant, split, figures.baselines[one], figures.baselines[other], difference, leaked)
        for (one, other), difference in zip(pairs, intervals(differences, resampled_means(differences)), strict=True)
    ]


def _read(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path, columns=["impression", "is_new", "auc"])
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UsageError(
            f"the figures of the impressions cannot be read: {error}",
            where=path,
            remedy=f"delete the folder {path.parent}, and run again",
        ) from error


def _plain(comparison: Comparison) -> dict[str, object]:
    difference = comparison.difference
    return {
        "difference": difference.mean,
        "low": difference.low,
        "high": difference.high,
        "told_apart": comparison.told_apart,
    }


def _cells(row: Mapping[str, object]) -> list[str]:
    variant = f"{row['variant']} (leaked)" if row["leaked"] else str(row["variant"])
    figures = [f"{value:.4f}" if isinstance(value := row[name], float) else "-" for name in METRICS]
    low, high = row["auc_low"], row["auc_high"]
    interval = f"[{low:.4f}, {high:.4f}]" if low is not None else "-"
    counts = (f"{row['impressions']:,}", str(row["seeds"] or "-"))
    return [variant, str(row["baseline"]), str(row["segment"]), figures[0], interval, *figures[1:], *counts]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
