"""Synthetic news made of answers, and appended to their readers' histories."""

import hashlib

import attrs
import polars as pl

from genre.dataset import Dataset


def text_fields() -> dict[str, str]:
    """The answer's properties, and the text field that each becomes, unless options say otherwise."""
    return {"title": "title", "abstract": "abstract"}


@attrs.frozen
class AppendHistoryUpdaterOptions:
    """Options of the updater `append-history`.

    Attributes:
        fields: the answer's properties, and the text field that each becomes.
    """

    fields: dict[str, str] = attrs.field(factory=text_fields)


class AppendHistoryUpdater:
    """Makes a news of each record and appends it to its reader's history."""

    def __init__(self, options: AppendHistoryUpdaterOptions) -> None:
        self._options = options

    def update(self, dataset: Dataset, records: pl.LazyFrame) -> Dataset:
        """A data set with synthetic news; their ids are hashes of (round, subject, draw)."""
        positions = dataset.readers.select(subject="id").with_row_index("reader").lazy()
        texts = {field: pl.col(name) for name, field in self._options.fields.items()}
        rows = records.join(positions, on="subject", how="inner", maintain_order="left").collect()
        category = {"category": pl.col("category")} if "category" in rows.columns else {}
        ids = [_news_id(*row) for row in rows.select("version", "subject", "draw").iter_rows()]
        made = rows.select("reader", "version", "model", **category, **texts)
        return dataset.with_generated_news(made.with_columns(id=pl.Series(ids, dtype=pl.String)))


def _news_id(version: str, subject: str, draw: int) -> str:
    return "G" + hashlib.blake2b(f"{version}\0{subject}\0{draw}".encode(), digest_size=8).hexdigest()
