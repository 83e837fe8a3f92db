"""AUC, MRR, nDCG@5 and nDCG@10 of each impression, over all impressions at once.

Every figure is its expectation when candidates of equal score are ordered at random, so that a model which ranks by
nothing gets what it deserves, and never what the order of the file gives it.
"""

import math
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from genre.errors import RunError
from genre.modeling.ragged import concatenated_ranges

METRICS: Final = ("auc", "mrr", "ndcg@5", "ndcg@10")
SEGMENTS: Final = ("all", "new", "warm")
"""Readers whose impressions have a mean of their own."""
_CUTOFFS: Final = {"ndcg@5": 5, "ndcg@10": 10}

Floats = NDArray[np.float64]


def impression_metrics(scores: ArrayLike, labels: ArrayLike, offsets: ArrayLike) -> pl.DataFrame:
    """Metrics of I impressions with T candidates in all.

    AUC counts a tied pair of click and non-click as half. MRR is the mean of 1/rank over an impression's clicks (MIND's
    script). nDCG has binary gains and the discount 1/log2(1 + rank).

    Args:
        scores: (T,), the higher the earlier.
        labels: (T,), 1 for a click and 0 for none.
        offsets: impression i has the candidates `offsets[i]:offsets[i + 1]` (I + 1,).

    Returns:
        One row an impression with the columns `auc`, `mrr`, `ndcg@5`, `ndcg@10`; null where there is no click or no
        non-click, which leaves nothing to rank.

    Raises:
        RunError: a score is not finite.
    """
    scores, labels, offsets = np.asarray(scores, np.float64), np.asarray(labels, np.int64), np.asarray(offsets)
    if not np.isfinite(scores).all():
        raise RunError(
            f"{int((~np.isfinite(scores)).sum())} of {len(scores)} scores are not finite",
            remedy="the training diverged: lower the learning rate, or train again with another seed",
        )
    lengths = np.diff(offsets)
    clicks = np.diff(np.concatenate([[0], np.cumsum(labels)])[offsets])
    evaluable = (clicks > 0) & (clicks < lengths)
    columns = {name: np.full(len(lengths), np.nan) for name in METRICS}
    if evaluable.any():
        chosen = concatenated_ranges(offsets[:-1][evaluable], lengths[evaluable])
        values = _metrics(scores[chosen], labels[chosen], lengths[evaluable], clicks[evaluable])
        for name in METRICS:
            columns[name][evaluable] = values[name]
    return pl.DataFrame(columns).fill_nan(None)


def mean(values: pl.Series) -> float | None:
    """Mean of what is not null, exactly summed: the same in every order. None when there is nothing."""
    present = values.drop_nulls()
    return math.fsum(present) / len(present) if len(present) else None


def _metrics(
    scores: Floats, labels: NDArray[np.int64], lengths: NDArray[np.int64], clicks: NDArray[np.int64]
) -> dict[str, Floats]:
    """Metrics of impressions that all have a click and a non-click."""
    rows = np.repeat(np.arange(len(lengths)), lengths)
    order = np.lexsort((-scores, rows))
    scores, labels = scores[order], labels[order]
    row_starts = np.cumsum(lengths) - lengths
    rank = np.arange(len(scores)) - row_starts[rows] + 1

    # A block is a run of equal scores in one impression; each of its clicks gets the mean over the block's ranks.
    is_start = np.concatenate([[True], (scores[1:] != scores[:-1]) | (rows[1:] != rows[:-1])])
    block_starts = np.flatnonzero(is_start)
    block_rows = rows[block_starts]
    first_blocks = np.flatnonzero(np.concatenate([[True], block_rows[1:] != block_rows[:-1]]))
    block_sizes = np.diff(np.append(block_starts, len(scores)))
    block_clicks = np.add.reduceat(labels, block_starts)

    def expected(discount: Floats) -> Floats:
        """Sum over an impression's clicks of the discount at their ranks."""
        block_means = np.add.reduceat(discount, block_starts) / block_sizes
        sums: Floats = np.add.reduceat(block_clicks * block_means, first_blocks)
        return sums

    block_others = block_sizes - block_clicks
    others = lengths - clicks
    others_through = np.cumsum(block_others)
    others_before_row = (np.cumsum(others) - others)[block_rows]
    others_below = others[block_rows] - (others_through - others_before_row)
    won_pairs = np.add.reduceat(block_clicks * (others_below + 0.5 * block_others), first_blocks)

    result = {"auc": won_pairs / (clicks * others), "mrr": expected(1.0 / rank) / clicks}
    for name, cutoff in _CUTOFFS.items():
        ideal = np.cumsum(1.0 / np.log2(np.arange(2, cutoff + 2)))
        gain = expected(np.where(rank <= cutoff, 1.0 / np.log2(rank + 1.0), 0.0))
        result[name] = gain / ideal[np.minimum(clicks, cutoff) - 1]
    return result
