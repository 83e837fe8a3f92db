"""From rows with string ids, as files hold them, to a `Dataset` of positions.

Every data set reader ends here, so that readers (distinct visible histories) and dangling ids mean the same for all.
"""

import hashlib
from typing import Literal, TypeAlias

import numpy as np
import polars as pl

from genre.dataset.tables import (
    IMPRESSION_SCHEMA,
    INTEREST_SCHEMA,
    READER_SCHEMA,
    TEXT_SCHEMA,
    Dataset,
    LineageEntry,
    news_rows,
)
from genre.errors import UsageError

Dangling: TypeAlias = Literal["error", "drop"]
"""What to do with an id that names no news: refuse the file (with file and line), or drop the id and count it."""


def assemble(
    news: pl.DataFrame,
    behaviors: pl.DataFrame,
    *,
    text_fields: tuple[str, ...] = ("title", "abstract"),
    dangling: Dangling = "error",
    source: dict[str, object],
) -> Dataset:
    """Build a data set from news and behaviors.

    Args:
        news: `id`, the text fields, and any of `category`, `subcategory`, `url`, `title_entities`,
            `abstract_entities`. A repeated id keeps its first row (MIND repeats news across its splits).
        behaviors: `impression`, `split`, `user`, `time`, `history` and `candidates` (lists of ids), `labels` (list,
            null when unlabelled), and `file` and `line` for messages.
        text_fields: the columns of `news` that are texts.
        dangling: what to do with ids that name no news.
        source: what the lineage's first entry says.

    Raises:
        UsageError: a dangling id under `dangling="error"`.
    """
    news = news.unique("id", keep="first", maintain_order=True)
    news_table = news_rows(news, origin="original")
    texts = (
        news.with_row_index("news")
        .unpivot(list(text_fields), index="news", variable_name="field", value_name="text")
        .filter(pl.col("text").fill_null("") != "")
        .with_columns(version=pl.lit("original"), model=pl.lit(""))
        .select(TEXT_SCHEMA.names())
        .sort("news", "field")
        .cast(TEXT_SCHEMA)
    )

    positions = news_table.select("id").with_row_index("position")
    history, lost_history = _resolve(behaviors, "history", positions, dangling)
    candidates, lost_candidates = _resolve(behaviors, "candidates", positions, dangling)
    table = behaviors.select("impression", "split", "user", "time", "labels").with_columns(
        history=history, candidates=candidates
    )
    if lost_candidates.any():
        table = table.with_columns(labels=_drop_labels(behaviors, lost_candidates))
    kept = table.filter(pl.col("candidates").list.len() > 0)

    kept = kept.with_columns(reader_id=_reader_ids(kept, news_table["id"]))
    readers = (
        kept.unique("reader_id", keep="first", maintain_order=True)
        .select(id="reader_id", user="user", history="history", clicks=pl.col("history").list.len())
        .cast(READER_SCHEMA)
    )
    reader_positions = readers.select(reader_id="id").with_row_index("reader")
    impressions = (
        kept.join(reader_positions, on="reader_id", how="left", maintain_order="left")
        .select(
            id="impression",
            split="split",
            reader="reader",
            time="time",
            candidates="candidates",
            labels="labels",
        )
        .cast(IMPRESSION_SCHEMA)
    )
    details = {
        **source,
        "dangling": dangling,
        "dangling_history_ids": int(lost_history.sum()),
        "dangling_candidate_ids": int(lost_candidates.sum()),
        "impressions_without_candidates": table.height - kept.height,
    }
    return Dataset(
        news=news_table,
        texts=texts,
        readers=readers,
        interests=pl.DataFrame(schema=INTEREST_SCHEMA),
        impressions=impressions,
        lineage=(LineageEntry("read", details),),
    )


def _resolve(
    behaviors: pl.DataFrame, column: str, positions: pl.DataFrame, dangling: Dangling
) -> tuple[pl.Series, np.ndarray]:
    """Lists of ids -> lists of positions, and a mask over the flat ids that says which were dangling."""
    lists = behaviors[column]
    flat = pl.DataFrame(
        {"row": np.repeat(np.arange(lists.len(), dtype=np.uint32), lists.list.len().to_numpy())},
    ).with_columns(id=lists.explode(empty_as_null=False, keep_nulls=False))
    found = flat.join(positions, on="id", how="left", maintain_order="left")
    lost = found["position"].is_null().to_numpy()
    if lost.any() and dangling == "error":
        first = found.filter(pl.col("position").is_null()).row(0, named=True)
        row = behaviors.row(first["row"], named=True)
        raise UsageError(
            f"the {column} name the news {first['id']!r}, which no news file has ({int(lost.sum())} such ids in all)",
            where=f"{row['file']}:{row['line']}",
            remedy="add the news, or read with dangling = 'drop' to leave such ids out and count them",
        )
    return _regroup(found.filter(~lost).select("row", value="position"), lists.len(), pl.UInt32), lost


def _regroup(flat: pl.DataFrame, rows: int, dtype: type[pl.DataType]) -> pl.Series:
    """Flat `(row, value)` pairs, ordered by row -> one list a row."""
    grouped = flat.group_by("row", maintain_order=True).agg("value")
    everyone = pl.DataFrame({"row": np.arange(rows, dtype=np.uint32)})
    joined = everyone.join(grouped, on="row", how="left", maintain_order="left")
    empty = pl.lit([], dtype=pl.List(dtype))
    return joined.select(pl.col("value").cast(pl.List(dtype)).fill_null(empty))["value"]


def _drop_labels(behaviors: pl.DataFrame, lost: np.ndarray) -> pl.Series:
    """Labels without those of dropped candidates; an unlabelled impression stays unlabelled."""
    lengths = behaviors["candidates"].list.len().to_numpy()
    starts = np.concatenate([[0], np.cumsum(lengths)])
    labels: list[list[int] | None] = behaviors["labels"].to_list()
    kept = [
        None if row is None else [label for label, gone in zip(row, lost[start:end], strict=True) if not gone]
        for row, start, end in zip(labels, starts[:-1], starts[1:], strict=True)
    ]
    return pl.Series("labels", kept, dtype=pl.List(pl.UInt8))


def _reader_ids(impressions: pl.DataFrame, news_ids: pl.Series) -> pl.Series:
    """`user@hash of the visible history`: the same for the same user and history in every split and data set."""
    ids = news_ids.to_list()
    known: dict[tuple[str, tuple[int, ...]], str] = {}
    result: list[str] = []
    for user, history in impressions.select("user", "history").iter_rows():
        state = (user, tuple(history))
        if state not in known:
            visible = " ".join(ids[position] for position in history)
            known[state] = f"{user}@{hashlib.blake2b(visible.encode(), digest_size=6).hexdigest()}"
        result.append(known[state])
    return pl.Series("reader_id", result, dtype=pl.String)
