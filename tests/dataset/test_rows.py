"""Rows become a data set without being kept."""

import weakref
from collections.abc import Collection, Iterator

import polars as pl

from genre.dataset import Rows


def news(*names: str) -> pl.DataFrame:
    columns = {"id": names, "title": [f"Title of {name}" for name in names]}
    return pl.DataFrame(columns).with_columns(
        abstract=pl.lit(""), file=pl.lit("news.tsv"), line=pl.int_range(1, pl.len() + 1, dtype=pl.UInt32)
    )


def test_no_block_of_news_is_held_while_behaviors_are_read() -> None:
    held: list[weakref.ref[pl.DataFrame]] = []

    def blocks() -> Iterator[pl.DataFrame]:
        for names in (("N1", "N2"), ("N2", "N3")):
            block = news(*names)
            held.append(weakref.ref(block))
            yield block
            del block

    def behaviors(known: Collection[str]) -> Iterator[pl.DataFrame]:
        assert set(known) == {"N1", "N2", "N3"}
        assert [each() for each in held] == [None, None]
        return iter(())

    assert Rows(blocks(), behaviors, {}).assembled().news["id"].to_list() == ["N1", "N2", "N3"]
