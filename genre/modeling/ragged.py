"""Lists of unequal length as one flat array and offsets: what histories, candidates and interests are kept in."""

import attrs
import numpy as np
import polars as pl
from numpy.typing import NDArray

IntArray = NDArray[np.integer]
BoolArray = NDArray[np.bool_]


@attrs.frozen(eq=False)
class Ragged:
    """R lists.

    Attributes:
        values: all lists, one after the other (T,).
        offsets: list r is `values[offsets[r]:offsets[r + 1]]` (R + 1,).
    """

    values: NDArray[np.int32]
    offsets: NDArray[np.int64]

    @classmethod
    def from_series(cls, lists: pl.Series) -> "Ragged":
        """A polars column of lists of integers; a null list is empty."""
        lengths = lists.list.len().fill_null(0).to_numpy()
        flat = lists.drop_nulls().explode(empty_as_null=False)
        return cls.from_lengths(flat.to_numpy(), lengths)

    @classmethod
    def from_lengths(cls, values: IntArray, lengths: IntArray) -> "Ragged":
        """Flat values and the length of each list."""
        offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
        np.cumsum(lengths, out=offsets[1:])
        return cls(np.asarray(values, dtype=np.int32), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Length of each list (R,)."""
        return np.diff(self.offsets)

    def lengths_of(self, rows: IntArray) -> NDArray[np.int64]:
        """Length of these lists, without a look at the others."""
        lengths: NDArray[np.int64] = self.offsets[rows + 1] - self.offsets[rows]
        return lengths

    @property
    def rows(self) -> NDArray[np.int64]:
        """Which list each value belongs to (T,)."""
        rows: NDArray[np.int64] = np.repeat(np.arange(len(self)), self.lengths)
        return rows

    def take(self, rows: IntArray) -> "Ragged":
        """These lists, in this order."""
        lengths = self.lengths_of(rows)
        return Ragged.from_lengths(self.values[concatenated_ranges(self.offsets[rows], lengths)], lengths)

    def first(self, count: int) -> "Ragged":
        """At most the first `count` values of each list."""
        lengths = np.minimum(self.lengths, count)
        return Ragged.from_lengths(self.values[concatenated_ranges(self.offsets[:-1], lengths)], lengths)

    def last(self, count: int) -> "Ragged":
        """At most the last `count` values of each list."""
        lengths = np.minimum(self.lengths, count)
        return Ragged.from_lengths(self.values[concatenated_ranges(self.offsets[1:] - lengths, lengths)], lengths)

    def where(self, keep: BoolArray) -> "Ragged":
        """The values that `keep` (T,) marks, in as many lists."""
        return Ragged.from_lengths(self.values[keep], np.bincount(self.rows[keep], minlength=len(self)))

    def padded(self) -> tuple[NDArray[np.int32], BoolArray]:
        """Values (R, W) with 0 after each list's end, and what is a value (R, W). W is the longest list, at least 1."""
        width = max(int(self.lengths.max(initial=0)), 1)
        mask = np.arange(width) < self.lengths[:, None]
        values = np.zeros(mask.shape, dtype=np.int32)
        values[mask] = self.values
        return values, mask


def concatenated_ranges(starts: IntArray, lengths: IntArray) -> NDArray[np.int64]:
    """`start, start + 1, ...` for each start, one range after the other."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    shifts = np.repeat(np.asarray(starts, dtype=np.int64) - (ends - lengths), lengths)
    ranges: NDArray[np.int64] = np.arange(total) + shifts
    return ranges
