"""The metrics of every impression that a run folder keeps, as arrays: what all of its statistics are made from."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs
import numpy as np
import polars as pl
from numpy.typing import NDArray

from genre.errors import UsageError
from genre.experiments.results import Cell, UntrainedCell, impressions_file
from genre.experiments.statistics.bootstrap import Floats
from genre.modeling.metrics import METRICS, SEGMENTS

_USER: Final = r"@[0-9a-f]+$"
"""A reader's id is `user@hash of the visible history`, see `genre.dataset.assembly`."""


@attrs.frozen(eq=False)
class CellFigures:
    """A baseline on a variant, over the I impressions of a split that have something to rank.

    Attributes:
        seeds: those it was trained with; none if it is untrained.
        metrics: `METRICS`, averaged over seeds (I, 4).
        by_seed: means of `METRICS` for each seed's model (S, 4) by segment; an untrained baseline has one row. NaN in
            a segment without impressions.
        leaked: the variant rests on answers that were made from more than the prompts say.
    """

    seeds: tuple[int, ...]
    metrics: Floats
    by_seed: Mapping[str, Floats]
    leaked: bool


@attrs.frozen(eq=False)
class SplitFigures:
    """All cells of a run on a split.

    Attributes:
        split: its name.
        impressions: row numbers of the I impressions in the cells' files, which are those of the data set's split.
        users: number of the user of each (I,).
        segments: which impressions belong to `all`, `new` and `warm` (I,).
        cells: by variant and baseline, in the order of the results.
    """

    split: str
    impressions: NDArray[np.int64]
    users: NDArray[np.int64]
    segments: Mapping[str, NDArray[np.bool_]]
    cells: Mapping[tuple[str, str], CellFigures]

    @property
    def variants(self) -> list[str]:
        """Names of the variants, in order."""
        return list(dict.fromkeys(variant for variant, _ in self.cells))

    @property
    def baselines(self) -> list[str]:
        """Names of the baselines, in order."""
        return list(dict.fromkeys(baseline for _, baseline in self.cells))

    @property
    def trained(self) -> list[str]:
        """Names of the baselines that were trained, in order."""
        return list(dict.fromkeys(baseline for (_, baseline), cell in self.cells.items() if cell.seeds))


def read_figures(folder: Path, rows: Sequence[Mapping[str, object]], split: str) -> SplitFigures:
    """The figures of a split.

    Args:
        folder: the run folder.
        rows: those of `results.json`, which say what cells there are.

    Raises:
        UsageError: the file of a cell is missing, or its impressions are not those of the others.
    """
    trained = cells_of(rows, split)
    leaked = {str(row["variant"]) for row in rows if row["leaked"]}
    first: pl.DataFrame | None = None
    segments: dict[str, NDArray[np.bool_]] = {}
    ranked = pl.Series([], dtype=pl.Boolean)
    cells: dict[tuple[str, str], CellFigures] = {}
    for (variant, baseline), each in trained.items():
        total: Floats | None = None
        by_seed: list[dict[str, Floats]] = []
        for cell in each:
            table = read_impressions(folder, cell, split, ("impression", "reader", "is_new", *METRICS))
            if first is None:
                first, ranked = table, table["auc"].is_not_null()
                is_new = table["is_new"].filter(ranked).to_numpy()
                everyone = np.ones_like(is_new)
                segments = dict(zip(SEGMENTS, (everyone, is_new, ~is_new), strict=True))
            _check_impressions(table, first, cell, split, folder)
            metrics = table.filter(ranked).select(METRICS).to_numpy().astype(np.float64)
            by_seed.append({name: _means(metrics[members]) for name, members in segments.items()})
            total = metrics if total is None else total + metrics
        assert total is not None
        cells[variant, baseline] = CellFigures(
            seeds=tuple(cell.seed for cell in each if cell.seed is not None),
            metrics=total / len(each),
            by_seed={name: np.stack([means[name] for means in by_seed]) for name in segments},
            leaked=variant in leaked,
        )
    assert first is not None
    users = first["reader"].filter(ranked).str.replace(_USER, "")
    codes = np.unique(users.to_numpy(), return_inverse=True)[1] if len(users) else np.zeros(0, np.int64)
    return SplitFigures(split, np.flatnonzero(ranked.to_numpy()), codes, segments, cells)


def cells_of(
    rows: Sequence[Mapping[str, object]], split: str
) -> dict[tuple[str, str], list[Cell] | list[UntrainedCell]]:
    """The cells of each variant and baseline that the results name on a split, in their order."""
    cells: dict[tuple[str, str], list[Cell] | list[UntrainedCell]] = {}
    named = ((str(row["variant"]), str(row["baseline"]), row["seed"]) for row in rows if row["split"] == split)
    for variant, baseline, seed in dict.fromkeys(named):
        if seed is None:
            cells[variant, baseline] = [UntrainedCell(variant, baseline)]
        else:
            before = [cell for cell in cells.get((variant, baseline), []) if isinstance(cell, Cell)]
            cells[variant, baseline] = [*before, Cell(variant, baseline, int(str(seed)))]
    return cells


def read_impressions(folder: Path, cell: Cell | UntrainedCell, split: str, columns: Sequence[str]) -> pl.DataFrame:
    """Columns of what a cell keeps of each impression of a split.

    Raises:
        UsageError: the file is missing or damaged, or lacks a column.
    """
    path = impressions_path(folder, cell, split)
    try:
        return pl.read_parquet(path, columns=list(columns), glob=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UsageError(
            f"the figures of the impressions cannot be read: {error}",
            where=path,
            remedy=f"delete the folder {path.parent}, and run again",
        ) from error


def impressions_path(folder: Path, cell: Cell | UntrainedCell, split: str) -> Path:
    """Where a cell keeps its impressions of a split."""
    return folder / "cells" / cell.name / impressions_file(split)


def _check_impressions(
    table: pl.DataFrame, first: pl.DataFrame, cell: Cell | UntrainedCell, split: str, folder: Path
) -> None:
    same = table["impression"].equals(first["impression"]) and table["reader"].equals(first["reader"])
    if not (same and table["auc"].is_null().equals(first["auc"].is_null())):
        raise UsageError(
            f"the impressions of {cell.variant}, {cell.baseline} on {split} are not those of the other cells",
            where=folder / "cells",
            remedy="delete the folder, and run again",
        )


def _means(metrics: Floats) -> Floats:
    return metrics.mean(axis=0) if len(metrics) else np.full(metrics.shape[1], np.nan)
