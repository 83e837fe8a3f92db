"""Blocks of behaviors, as every reader of files hands them to `genre.dataset.assemble`."""

from typing import Final

import polars as pl

BEHAVIORS_SCHEMA: Final = pl.Schema(
    {
        "impression": pl.String(),
        "split": pl.String(),
        "user": pl.String(),
        "time": pl.Datetime("us"),
        "history": pl.List(pl.String()),
        "candidates": pl.List(pl.String()),
        "labels": pl.List(pl.UInt8()),
        "file": pl.String(),
        "line": pl.UInt32(),
    }
)
