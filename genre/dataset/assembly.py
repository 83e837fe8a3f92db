"""From rows with string ids, as files hold them, to a `Dataset` of positions.

Every data set reader ends here, so that readers (distinct visible histories) and dangling ids mean the same for all.
"""

import hashlib
from typing import Literal, TypeAlias

import polars as pl

from genre.dataset.tables import (
    IMPRESSION_SCHEMA,
    INTEREST_SCHEMA,
    READER_SCHEMA,
    TEXT_SCHEMA,
    VECTOR_SCHEMA,
    Dataset,
    LineageEntry,
    news_rows,
)
from genre.errors import UsageError

Dangling: TypeAlias = Literal["error", "drop"]
"""What to do with an id that names no news: refuse the file (with file and line), or drop the id and count it.

A dropped click is not visible to anybody: segments (new, warm) then follow the clicks that are left.
"""


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
        news: `id` (no blanks in it), the text fields, and any of `category`, `subcategory`, `url`, `title_entities`,
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

    history, lost_history = _resolve(behaviors, "history", news_table["id"], dangling)
    candidates, lost_candidates = _resolve(behaviors, "candidates", news_table["id"], dangling)
    table = behaviors.select("impression", "split", "user", "time", "labels").with_columns(
        history=history, candidates=candidates
    )
    if lost_candidates:
        table = _without_lost_candidates(table)
    kept = table.filter(pl.col("candidates").list.len() > 0)

    states = kept.select("user", "history").unique(keep="first", maintain_order=True)
    readers = states.select(
        id=_reader_ids(states, news_table["id"]),
        user="user",
        history="history",
        clicks=pl.col("history").list.len(),
        kept=pl.lit(None),
    ).cast(READER_SCHEMA)
    impressions = (
        kept.join(states.with_row_index("reader"), on=["user", "history"], how="left", maintain_order="left")
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
        "dangling_history_ids": lost_history,
        "dangling_candidate_ids": lost_candidates,
        "impressions_without_candidates": table.height - kept.height,
    }
    return Dataset(
        news=news_table,
        texts=texts,
        vectors=pl.DataFrame(schema=VECTOR_SCHEMA),
        readers=readers,
        interests=pl.DataFrame(schema=INTEREST_SCHEMA),
        impressions=impressions,
        lineage=(LineageEntry("read", details),),
    )


def _resolve(behaviors: pl.DataFrame, column: str, ids: pl.Series, dangling: Dangling) -> tuple[pl.Series, int]:
    """Lists of ids -> lists of positions, and how many ids were dangling.

    A dangling candidate is a null, so that its label can go with it; a dangling click leaves the history.
    """
    lists = behaviors[column].cast(pl.List(pl.String))
    position = pl.element().replace_strict(ids, _range(ids.len()), default=None, return_dtype=pl.UInt32)
    found = lists.list.eval(position)
    complete = found.list.drop_nulls()
    lost = found.list.len() - complete.list.len()
    count = int(lost.sum())
    if count and dangling == "error":
        row = behaviors.row(int((lost > 0).arg_max() or 0), named=True)
        known = set(ids)
        missing = next(name for name in row[column] if name not in known)
        raise UsageError(
            f"the {column} name the news {missing!r}, which no news file has ({count} such ids in all)",
            where=f"{row['file']}:{row['line']}",
            remedy="add the news, or read with dangling = 'drop' to leave such ids out and count them",
        )
    return (found if column == "candidates" else complete), count


def _without_lost_candidates(table: pl.DataFrame) -> pl.DataFrame:
    """Rows without their null candidates and the labels of these; an unlabelled impression stays unlabelled."""
    row = pl.int_range(pl.len(), dtype=pl.UInt32).alias("row")
    labelled = (
        table.select(row, "candidates", "labels")
        .filter(pl.col("labels").is_not_null())
        .explode("candidates", "labels", empty_as_null=False)
        .filter(pl.col("candidates").is_not_null())
        .group_by("row")
        .agg(kept_labels="labels")
    )
    # A labelled row that lost every candidate gets null labels here; it has no candidates and is left out later.
    joined = table.with_columns(row).join(labelled, on="row", how="left", maintain_order="left")
    return joined.with_columns(candidates=pl.col("candidates").list.drop_nulls(), labels="kept_labels").select(
        table.columns
    )


def _reader_ids(states: pl.DataFrame, news_ids: pl.Series) -> pl.Series:
    """`user@hash of the visible history`: the same for the same user and history in every split and data set."""
    name = pl.element().replace_strict(_range(news_ids.len()), news_ids, return_dtype=pl.String)
    visible = states["history"].list.eval(name).list.join(" ")
    ids = [
        f"{user}@{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}"
        for user, text in zip(states["user"], visible, strict=True)
    ]
    return pl.Series("id", ids, dtype=pl.String)


def _range(length: int) -> pl.Series:
    return pl.int_range(length, dtype=pl.UInt32, eager=True)
