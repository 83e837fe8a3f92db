"""From rows with string ids, as files hold them, to a `Dataset` of positions.

Every data set reader ends here, so that readers (distinct visible histories) and dangling ids mean the same for all.
"""

import hashlib
from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

import attrs
import numpy as np
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

_ROWS_AT_A_TIME: Final = 20_000
"""Impressions, or readers, whose ids are texts at one time: lists of texts take several times what positions do."""

_KEPT_SCHEMA: Final = pl.Schema(
    {
        "impression": pl.String(),
        "split": pl.String(),
        "user": pl.String(),
        "time": pl.Datetime("us"),
        "history": pl.List(pl.UInt32()),
        "candidates": pl.List(pl.UInt32()),
        "labels": pl.List(pl.UInt8()),
    }
)


def assemble(
    news: pl.DataFrame,
    behaviors: pl.DataFrame | Iterable[pl.DataFrame],
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
            null when unlabelled), and `file` and `line` for messages. Blocks of rows, taken one by one, need not be in
            memory together.
        text_fields: the columns of `news` that are texts.
        dangling: what to do with ids that name no news.
        source: what the lineage's first entry says.

    Raises:
        UsageError: a dangling id under `dangling="error"`, or labels that are not 0 or 1 for each candidate.
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

    blocks = [behaviors] if isinstance(behaviors, pl.DataFrame) else behaviors
    known = pl.Enum(news_table["id"])
    resolved = [_resolved(rows, known) for block in blocks for rows in block.iter_slices(n_rows=_ROWS_AT_A_TIME)]
    lost = {
        column: _total([each.lost[column] for each in resolved], column, dangling)
        for column in ("history", "candidates")
    }
    without_candidates = sum(each.without_candidates for each in resolved)
    kept = pl.concat([pl.DataFrame(schema=_KEPT_SCHEMA), *(each.rows for each in resolved)])
    del resolved

    states, reader = _states(kept)
    readers = states.select(
        id=_reader_ids(states, news_table["id"]),
        user="user",
        history="history",
        clicks=pl.col("history").list.len(),
        kept=pl.lit(None),
    ).cast(READER_SCHEMA)
    impressions = (
        (kept.select(pl.exclude("user", "history")).rename({"impression": "id"}).with_columns(reader=reader))
        .select(IMPRESSION_SCHEMA.names())
        .rechunk()
    )
    details = {
        **source,
        "dangling": dangling,
        "dangling_history_ids": lost["history"],
        "dangling_candidate_ids": lost["candidates"],
        "impressions_without_candidates": without_candidates,
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


@attrs.frozen
class _Lost:
    """Ids of a block that name no news: how many, the first of them, and where it stands."""

    count: int
    name: str | None
    where: str


@attrs.frozen
class _Resolved:
    """A block whose ids have become positions, without the rows that have no candidates."""

    rows: pl.DataFrame
    lost: dict[str, _Lost | None]
    without_candidates: int


def odd_labels() -> pl.Expr:
    """Whether a row has labels that are not 0 or 1 for each candidate; an unlabelled row has none."""
    values = pl.col("labels").list.eval((pl.element() > 1) | (pl.element() < 0) | pl.element().is_null()).list.any()
    return ((pl.col("labels").list.len() != pl.col("candidates").list.len()) | values).fill_null(value=False)


def _refuse_odd_labels(behaviors: pl.DataFrame) -> None:
    odd = behaviors.filter(odd_labels())
    if odd.height:
        file, line, labels, candidates = odd.select("file", "line", "labels", "candidates").row(0)
        raise UsageError(
            f"the labels {labels} are not 0 or 1 for each of {len(candidates)} candidates",
            where=f"{file}:{line}",
            remedy="label each candidate, or none",
        )


def _resolved(behaviors: pl.DataFrame, known: pl.Enum) -> _Resolved:
    _refuse_odd_labels(behaviors)
    history, lost_history = _positions(behaviors, "history", known)
    candidates, lost_candidates = _positions(behaviors, "candidates", known)
    if lost_history:
        history = history.list.drop_nulls()
    rows = behaviors.select("impression", "split", "user", "time", "labels").with_columns(
        history=history, candidates=candidates
    )
    if lost_candidates:
        rows = without_lost_candidates(rows)
    kept = rows.select(_KEPT_SCHEMA.names()).filter(pl.col("candidates").list.len() > 0)
    lost = {"history": lost_history, "candidates": lost_candidates}
    return _Resolved(kept.cast(_KEPT_SCHEMA), lost, rows.height - kept.height)


def positions_of(lists: pl.Series, known: pl.Enum) -> pl.Series:
    """Lists of ids -> lists of positions, null where an id names no news."""
    # An Enum keeps its table of ids; `replace_strict` would make one for each block.
    return lists.list.eval(pl.element().cast(known, strict=False).to_physical().cast(pl.UInt32))


def _positions(behaviors: pl.DataFrame, column: str, known: pl.Enum) -> tuple[pl.Series, _Lost | None]:
    lists = behaviors[column].cast(pl.List(pl.String))
    found = positions_of(lists, known)
    if not (count := found.explode(empty_as_null=False, keep_nulls=False).null_count()):
        return found, None
    row = int(found.list.eval(pl.element().is_null()).list.any().arg_max() or 0)
    name = lists[row].filter(found[row].is_null())[0]
    file, line = behaviors.select("file", "line").row(row)
    return found, _Lost(count, name, f"{file}:{line}")


def _total(blocks: list[_Lost | None], column: str, dangling: Dangling) -> int:
    """How many ids of a column name no news.

    Raises:
        UsageError: there are any, under `dangling="error"`.
    """
    losses = [each for each in blocks if each is not None]
    count = sum(each.count for each in losses)
    if count and dangling == "error":
        raise UsageError(
            f"the {column} name the news {losses[0].name!r}, which no news file has ({count} such ids in all)",
            where=losses[0].where,
            remedy="add the news, or read with dangling = 'drop' to leave such ids out and count them",
        )
    return count


def without_lost_candidates(table: pl.DataFrame) -> pl.DataFrame:
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


def _states(kept: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """The distinct (user, visible history), in the order of their first impressions, and which one each row has."""
    grouped = (
        kept.select("user", "history").with_row_index("row").group_by("user", "history", maintain_order=True).agg("row")
    )
    rows = grouped["row"].explode(empty_as_null=False).to_numpy()
    reader = np.empty(kept.height, dtype=np.uint32)
    reader[rows] = np.repeat(np.arange(grouped.height, dtype=np.uint32), grouped["row"].list.len().to_numpy())
    return grouped.drop("row"), pl.Series("reader", reader)


def _reader_ids(states: pl.DataFrame, news_ids: pl.Series) -> pl.Series:
    """`user@hash of the visible history`: the same for the same user and history in every split and data set."""
    name = pl.element().replace_strict(_range(news_ids.len()), news_ids, return_dtype=pl.String)
    ids = [
        f"{user}@{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}"
        for some in states.iter_slices(n_rows=_ROWS_AT_A_TIME)
        for user, text in zip(some["user"], some["history"].list.eval(name).list.join(" "), strict=True)
    ]
    return pl.Series("id", ids, dtype=pl.String)


def _range(length: int) -> pl.Series:
    return pl.int_range(length, dtype=pl.UInt32, eager=True)
