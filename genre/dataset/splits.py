"""Cutting a split of the impressions into two."""

import hashlib

import attrs
import polars as pl

from genre.dataset.tables import Dataset
from genre.errors import UsageError, nearest


def split_impressions(
    dataset: Dataset,
    *,
    split: str = "dev",
    into: tuple[str, str] = ("dev", "test"),
    share: float = 0.5,
    seed: int = 0,
) -> Dataset:
    """Cut one split into two by impression, as the paper halves MIND's dev.

    Which part an impression falls into depends on (seed, impression id, reader id) alone: not on the other rows and
    not on their order.

    Args:
        split: the split that is cut.
        into: names of the two parts.
        share: share of the impressions, in expectation, that goes into the first part; between 0 and 1.
        seed: seed of the cut.

    Raises:
        UsageError: there is no such split, a part would mix with another split, or the share is not in (0, 1).
    """
    if split not in dataset.splits:
        raise UsageError(f"there is no split {split!r} to cut", remedy=nearest(split, dataset.splits))
    if not 0 < share < 1:
        raise UsageError(f"the share {share} is not between 0 and 1")
    first, second = into
    if first == second:
        raise UsageError(f"both parts are called {first!r}", remedy="give them different names")
    if mixed := sorted({first, second} & (set(dataset.splits) - {split})):
        raise UsageError(
            f"the data set has a split {mixed[0]!r} already, and a part of {split!r} would be mixed into it",
            remedy="give the part another name",
        )
    reader_ids = dataset.readers["id"].gather(dataset.impressions["reader"])
    cut = [
        (first if _uniform(seed, impression, reader) < share else second) if name == split else name
        for name, impression, reader in zip(
            dataset.impressions["split"], dataset.impressions["id"], reader_ids, strict=True
        )
    ]
    impressions = dataset.impressions.with_columns(split=pl.Series(cut, dtype=pl.String))
    return attrs.evolve(dataset, impressions=impressions).with_lineage(
        "split", split=split, into=list(into), share=share, seed=seed
    )


def _uniform(seed: int, impression: str, reader: str) -> float:
    """A number in [0, 1) that is fixed for these three."""
    key = f"{seed}\x1f{impression}\x1f{reader}".encode()
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest()) / 2**64
