"""A submission to MIND's leaderboard: `prediction.zip`, which holds `prediction.txt`, a line an impression.

A line is `ID [RANK,RANK,...]`: the rank of each candidate, 1 for the best, in the order of the candidates. MIND's
evaluation reads it beside its own file line by line, so the order of the impressions matters.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from genre.dataset import Dataset
from genre.errors import UsageError, nearest
from genre.modeling import TrainedModel, evaluate, prepare_features, with_frozen_states
from genre.staging import check_place, staged_file

ENTRY: Final = "prediction.txt"
"""The one file in the archive."""

_LINES_AT_A_TIME: Final = 10_000
_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can say: equal predictions make equal archives."""


def write_submission(model: TrainedModel, dataset: Dataset, split: str, out: Path, *, cache: Path | None = None) -> int:
    """Rank the candidates of a split, labelled or not, and write the archive, whole or not at all.

    Of candidates with equal scores the earlier one has the better rank.

    Args:
        cache: folder for prepared features.

    Returns:
        How many impressions there are.

    Raises:
        UsageError: there is no such split, its impressions cannot be told apart by their ids, or no archive can be
            written there.
        RunError: a score is not finite, or the archive cannot be written.
    """
    ids = impressions_of(dataset, split)["id"]
    check_place(out, "archive")  # before the work that it would be lost for
    prepared = prepare_features(dataset, model.settings, vocabulary=model.vocabulary, cache=cache)
    prepared = with_frozen_states(prepared, model.recommender, cache=cache)
    evaluation = evaluate(model.recommender, prepared, split)
    longest = len(str(np.diff(evaluation.offsets).max())) + 1
    _write(out, _lines(ids, evaluation.scores, evaluation.offsets), size=evaluation.scores.size * longest)
    return ids.len()


def impressions_of(dataset: Dataset, split: str) -> pl.DataFrame:
    """`id` and `candidates` (their number) of a split's impressions, in their order.

    Raises:
        UsageError: there is no such split, or its impressions cannot be told apart by their ids.
    """
    rows = dataset.impressions.filter(pl.col("split") == split)
    if rows.is_empty():
        raise UsageError(f"there is no split {split!r}", remedy=nearest(split, dataset.splits))
    ids = rows["id"]
    if (twice := ids.filter(ids.is_duplicated())).len():
        raise UsageError(
            f"the id {twice[0]!r} stands for several impressions of the split {split!r}",
            remedy="a submission names an impression by its id: give each one of its own",
        )
    if (odd := ids.filter(ids.str.contains(r"^$|\s"))).len():
        raise UsageError(f"the impression id {odd[0]!r} is empty or has blanks in it", remedy="give it another id")
    return rows.select("id", candidates=pl.col("candidates").list.len())


def ranks_of(scores: NDArray[np.float32], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rank of each candidate in its impression (T,): 1 for the highest score, ties in the candidates' order.

    Args:
        scores: of the candidates, impression after impression (T,).
        offsets: impression i has the scores `offsets[i]:offsets[i + 1]` (I + 1,), from 0 to T.
    """
    lengths = np.diff(offsets)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    order = np.lexsort((-scores, rows))  # stable
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order)) - offsets[rows] + 1
    return ranks


def _lines(ids: pl.Series, scores: NDArray[np.float32], offsets: NDArray[np.int64]) -> Iterator[bytes]:
    """The file, some lines at a time: ranks take several times the memory of scores."""
    for start in range(0, ids.len(), _LINES_AT_A_TIME):
        chosen = ids[start : start + _LINES_AT_A_TIME]
        bounds = offsets[start : start + chosen.len() + 1]
        places = bounds - bounds[0]
        said = list(map(str, ranks_of(scores[bounds[0] : bounds[-1]], places).tolist()))
        yield "".join(
            f"{name} [{','.join(said[first:last])}]\n"
            for name, first, last in zip(chosen, places[:-1].tolist(), places[1:].tolist(), strict=True)
        ).encode()


def _write(out: Path, pieces: Iterator[bytes], *, size: int) -> None:
    entry = zipfile.ZipInfo(ENTRY, _NO_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3  # Unix, wherever it is made
    entry.external_attr = 0o644 << 16
    with (
        staged_file(out, "archive", shared=False) as staging,
        zipfile.ZipFile(staging, "w") as archive,
        archive.open(entry, "w", force_zip64=size >= 2**30) as stream,
    ):
        for piece in pieces:
            stream.write(piece)
