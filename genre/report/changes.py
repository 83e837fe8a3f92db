"""Which recommendations an enrichment changed: impressions where the clicked candidate rose most, and fell most."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs
import numpy as np
import polars as pl
from numpy.typing import NDArray

from genre.dataset import Dataset
from genre.errors import UsageError
from genre.experiments.results import impressions_file
from genre.options import option_names
from genre.report.examples import order, titles
from genre.report.run_folder import Run

EACH_WAY: Final = 1
"""Impressions shown for each variant: so many that got better, and so many that got worse."""
_TOP: Final = 5
_HISTORY: Final = 4
_SCHEMA: Final = pl.Schema([("impression", pl.String()), ("reader", pl.String()), ("scores", pl.List(pl.Float32()))])


@attrs.frozen
class Ranked:
    """A candidate at its rank, from 1."""

    rank: int
    title: str
    clicked: bool


@attrs.frozen
class ChangedImpression:
    """What a model recommends without and with an enrichment.

    Attributes:
        before, after: ranks of the clicked candidate; of several, the first one's.
        history: titles of the latest clicks, newest last.
    """

    impression: str
    candidates: int
    before: int
    after: int
    history: tuple[str, ...]
    top_before: tuple[Ranked, ...]
    top_after: tuple[Ranked, ...]

    @property
    def better(self) -> bool:
        """Whether the clicked candidate rose."""
        return self.after < self.before


@attrs.frozen
class Compared:
    """Two trainings of one baseline with one seed."""

    variant: str
    reference: str
    baseline: str
    seed: int


@attrs.frozen
class Changes:
    """What a variant changed for one model.

    Attributes:
        better, worse, same: impressions where the clicked candidate rose, fell, and stayed.
        examples: where it rose most, and where it fell most.
    """

    compared: Compared
    better: int
    worse: int
    same: int
    examples: tuple[ChangedImpression, ...]

    @property
    def impressions(self) -> int:
        """All that were compared."""
        return self.better + self.worse + self.same


@attrs.frozen
class _Row:
    """An impression with the scores that two models give its candidates."""

    impression: str
    history: Sequence[int]
    clicks: int
    candidates: Sequence[int]
    labels: Sequence[int]
    before: Sequence[float]
    after: Sequence[float]


@attrs.frozen(eq=False)
class _Scored:
    """Impressions of a split with the scores of two models, one row each."""

    rows: pl.DataFrame
    before: NDArray[np.int64]
    after: NDArray[np.int64]


def changes_of(run: Run, split: str, dataset: Dataset) -> list[Changes]:
    """For each variant: the first baseline that was trained on it and on the reference, with their first common seed.

    Empty where the run kept no scores.

    Args:
        dataset: the reference's, whose impressions are those of all variants.

    Raises:
        UsageError: a file of scores is damaged.
    """
    shown = _impressions(dataset, split)
    found = []
    for variant in run.variants:
        pair = next(_pairs(run, variant), None) if variant != run.reference else None
        if pair is None:
            continue
        baseline, seed = pair
        before, after = (
            _read(run.cells[each, baseline, seed] / impressions_file(split)) for each in (run.reference, variant)
        )
        if before is not None and after is not None:
            scored = _scored(shown, before, after)
            found.append(_changes(scored, dataset, Compared(variant, run.reference, baseline, seed)))
    return found


def _pairs(run: Run, variant: str) -> Iterator[tuple[str, int]]:
    for baseline in run.trained:
        for name, trained, seed in sorted(run.cells):
            if (name, trained) == (variant, baseline) and (run.reference, baseline, seed) in run.cells:
                yield baseline, seed


def _impressions(dataset: Dataset, split: str) -> pl.DataFrame:
    """Labelled impressions of a split, with their reader's id."""
    readers = dataset.readers.select("history", "clicks", reader_id="id").with_row_index("reader")
    rows = dataset.impressions.filter(pl.col("split") == split, pl.col("labels").is_not_null())
    return rows.join(readers, on="reader", how="left", maintain_order="left").rename({"id": "impression"})


def _read(path: Path) -> pl.DataFrame | None:
    """The scores of a model's impressions; None in a folder of an earlier version, which kept none."""
    try:
        if not path.is_file() or "scores" not in pl.scan_parquet(path, glob=False).collect_schema():
            return None
        table = pl.read_parquet(path, columns=list(_SCHEMA), glob=False)
        if table.schema != _SCHEMA:
            raise pl.exceptions.SchemaError(f"its columns are {dict(table.schema)}, not {dict(_SCHEMA)}")
        return table
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UsageError(
            f"the scores of the impressions cannot be read: {error}",
            where=path,
            remedy=f"delete the folder {path.parent}, and run again",
        ) from error


def _scored(shown: pl.DataFrame, before: pl.DataFrame, after: pl.DataFrame) -> _Scored:
    """Impressions that have something to rank, and scores of both models for all of their candidates."""
    keys = ["impression", "reader_id"]
    rows = shown.unique(keys, keep="none", maintain_order=True)
    for name, table in (("before", before), ("after", after)):
        scores = table.rename({"reader": "reader_id", "scores": name}).unique(keys, keep="none", maintain_order=True)
        rows = rows.join(scores, on=keys, how="inner", maintain_order="left")
    size = pl.col("candidates").list.len()
    clicked = pl.col("labels").list.sum()
    rows = rows.filter(
        clicked > 0,
        clicked < size,
        *(pl.col(name).list.len() == size for name in ("labels", "before", "after")),
    )
    return _Scored(rows, clicked_ranks(rows["before"], rows["labels"]), clicked_ranks(rows["after"], rows["labels"]))


def clicked_ranks(scores: pl.Series, labels: pl.Series) -> NDArray[np.int64]:
    """The best rank of a clicked candidate of each impression, from 1; equal scores rank in the data set's order.

    Args:
        scores: a list for each impression, of finite numbers.
        labels: as long lists, each with a 1.
    """
    lengths = scores.list.len().to_numpy().astype(np.int64)
    if not len(lengths):
        return np.empty(0, np.int64)
    score, label = scores.explode().to_numpy(), labels.explode().to_numpy()
    starts = np.cumsum(lengths) - lengths
    rows, places = np.repeat(np.arange(len(lengths)), lengths), np.arange(len(score))
    best = np.maximum.reduceat(np.where(label > 0, score, -np.inf), starts)[rows]
    first = np.minimum.reduceat(np.where((label > 0) & (score == best), places, len(score)), starts)[rows]
    above = (score > best) | ((score == best) & (places < first))
    ranks: NDArray[np.int64] = 1 + np.add.reduceat(above.astype(np.int64), starts)
    return ranks


def _changes(scored: _Scored, dataset: Dataset, compared: Compared) -> Changes:
    gain = 1 / scored.after - 1 / scored.before
    ids = scored.rows.select("impression", "reader_id").iter_rows()
    hashes = [order(f"{impression} {reader}") for impression, reader in ids]
    rose = sorted(np.flatnonzero(gain > 0).tolist(), key=lambda row: (-gain[row], hashes[row]))
    fell = sorted(np.flatnonzero(gain < 0).tolist(), key=lambda row: (gain[row], hashes[row]))
    chosen = [*rose[:EACH_WAY], *fell[:EACH_WAY]]
    columns = scored.rows.select(option_names(_Row))
    examples = [
        _example(_Row(**columns.row(row, named=True)), dataset, int(scored.before[row]), int(scored.after[row]))
        for row in chosen
    ]
    same = len(gain) - len(rose) - len(fell)
    return Changes(compared, len(rose), len(fell), same, tuple(examples))


def _example(row: _Row, dataset: Dataset, before: int, after: int) -> ChangedImpression:
    latest = row.history[: row.clicks][-_HISTORY:]
    named = titles(dataset, [*latest, *row.candidates])
    return ChangedImpression(
        impression=row.impression,
        candidates=len(row.candidates),
        before=before,
        after=after,
        history=tuple(named[each] for each in latest),
        top_before=_top(row, row.before, named),
        top_after=_top(row, row.after, named),
    )


def _top(row: _Row, scores: Sequence[float], named: Mapping[int, str]) -> tuple[Ranked, ...]:
    """The first candidates, and the first clicked one where it is not among them."""
    ordered = sorted(range(len(scores)), key=lambda place: -scores[place])
    clicked = next(rank for rank, place in enumerate(ordered) if row.labels[place])
    ranks = [*range(min(_TOP, len(ordered))), *([clicked] if clicked >= _TOP else [])]
    places = ((rank, ordered[rank]) for rank in ranks)
    return tuple(Ranked(rank + 1, named[row.candidates[place]], bool(row.labels[place])) for rank, place in places)
