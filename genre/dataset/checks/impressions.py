"""Looking at impressions, a block at a time: their ids, candidates, labels and histories."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs
import polars as pl

from genre.dataset.assembly import odd_labels, positions_of, without_lost_candidates
from genre.dataset.checks.findings import Kind, Level, Tally

_KEPT = pl.col("candidates").list.len()
_LABELS = pl.col("labels")
_CLICKS = _LABELS.list.sum()
_DISTINCT = pl.col("candidates").list.n_unique()
_BOTH = (pl.col("candidates").cast(pl.List(pl.Int64)) * 2 + _LABELS.cast(pl.List(pl.Int64))).list.n_unique() - _DISTINCT


@attrs.frozen(eq=False)
class _Rule:
    """How often a kind is found in a row, and what to show of the first such row."""

    kind: Kind
    found: pl.Expr
    shown: Callable[[Mapping[str, Any]], object] = lambda row: row["impression"]


def dangling_kind(column: str, level: Level) -> Kind:
    """The kind of ids that name no news; an error unless the reader is told to drop them."""
    remedy = "add the news, or read with dangling = 'drop'" if level == "error" else "they are left out"
    among = {"history": "in histories", "candidates": "among candidates"}[column]
    return Kind(f"dangling-{column}", level, f"ids {among} that name no news", remedy)


RULES: Final = (
    _Rule(
        Kind(
            "labels-that-do-not-fit",
            "error",
            "impressions without a label, 0 or 1, for each candidate",
            "label each candidate, or none",
        ),
        pl.col("odd"),
    ),
    _Rule(
        Kind(
            "two-labels",
            "error",
            "candidates that one impression calls both clicked and not clicked",
            "keep one of the two",
        ),
        pl.when(_LABELS.is_not_null()).then(_BOTH).otherwise(0),
    ),
    _Rule(
        Kind(
            "no-candidates",
            "warning",
            "impressions of whose candidates none is a news; they are left out when the set is read",
            "remove them, or add the news",
        ),
        _KEPT == 0,
    ),
    _Rule(
        Kind(
            "no-click",
            "warning",
            "impressions without a click: nothing is learned from them, and metrics leave them out",
            "remove them",
        ),
        (_KEPT > 0) & (_CLICKS == 0),
    ),
    _Rule(
        Kind(
            "only-clicks",
            "warning",
            "impressions all of whose candidates were clicked: metrics leave them out",
            "remove them, or add what was shown and not clicked",
        ),
        (_KEPT > 0) & (_CLICKS == _KEPT),
    ),
    _Rule(
        Kind(
            "repeated-candidates",
            "warning",
            "candidates that stand in their impression before; metrics count them again",
            "keep each once",
        ),
        _KEPT - _DISTINCT,
    ),
    _Rule(
        Kind(
            "candidates-read-before",
            "warning",
            "candidates that stand in the reader's own history",
            "fine if readers are shown news again; otherwise the history holds what is asked for",
        ),
        pl.col("candidates").list.set_intersection("history").list.len(),
    ),
    _Rule(Kind("no-time", "note", "impressions without a time"), pl.col("time").is_null()),
    _Rule(
        Kind("empty-history", "note", "impressions of readers without a visible click"),
        pl.col("history").list.len() == 0,
    ),
    _Rule(
        Kind("unlabelled", "note", "impressions without labels: `genre submission write` ranks them"),
        ~pl.col("labelled"),
    ),
)

FACTS: Final = pl.Schema(
    {
        "split": pl.String(),
        "impression": pl.String(),
        "time": pl.Datetime("us"),
        "key": pl.UInt64(),
        "labelled": pl.Boolean(),
        "usable": pl.Boolean(),
        "file": pl.Categorical(),
        "line": pl.UInt32(),
    }
)
"""What is kept of each impression to compare it with the others; `key` is a hash of user, time and candidates."""


def check_block(block: pl.DataFrame, known: pl.Enum, dangling: Level, tally: Tally) -> pl.DataFrame:
    """Count what is odd in some impressions.

    Args:
        block: as of `Rows.behaviors`.
        known: ids of all news.
        dangling: how bad ids are that name no news.

    Returns:
        `FACTS`, a row an impression.
    """
    block = block.with_columns(pl.col("history", "candidates").fill_null([]))
    history = positions_of(block["history"].cast(pl.List(pl.String)), known)
    candidates = positions_of(block["candidates"].cast(pl.List(pl.String)), known)
    for column, found in (("history", history), ("candidates", candidates)):
        _count_dangling(block, column, found, dangling_kind(column, dangling), tally)
    rows = _understood(block, history, candidates)
    counts = rows.select(pl.col("split"), *(rule.found.cast(pl.UInt32).alias(rule.kind.name) for rule in RULES))
    for rule in RULES:
        _count(rows, counts[rule.kind.name], rule, tally)
    said = pl.col("candidates").list.eval(pl.element().cast(pl.String)).list.join(" ")
    return rows.select(
        "split",
        "impression",
        "time",
        pl.concat_str("user", pl.col("time").cast(pl.String).fill_null(""), said, separator="\x1f").hash().alias("key"),
        labelled="labelled",
        usable=((_CLICKS > 0) & (_CLICKS < _KEPT)).fill_null(value=False),
        file="file",
        line="line",
    ).cast(FACTS)


def _understood(block: pl.DataFrame, history: pl.Series, candidates: pl.Series) -> pl.DataFrame:
    """Rows as they would be read with dangling ids dropped; labels that fit no candidates are taken as none."""
    marked = block.with_columns(odd=odd_labels(), labelled=pl.col("labels").is_not_null())
    rows = marked.with_columns(
        history=history.list.drop_nulls(),
        candidates=candidates,
        labels=pl.when(~pl.col("odd")).then(pl.col("labels").cast(pl.List(pl.UInt8))),
    )
    return without_lost_candidates(rows)


def _count_dangling(block: pl.DataFrame, column: str, found: pl.Series, kind: Kind, tally: Tally) -> None:
    lost = found.list.eval(pl.element().is_null()).list.sum().fill_null(0)
    for split, (row, count) in _by_split(block["split"], lost).items():
        name = block[column][row].filter(found[row].is_null())[0]
        where, line = block.select("file", "line").row(row)
        tally.add(kind, count, split=split, where=f"{where}:{line}", example=repr(name))


def _count(rows: pl.DataFrame, counts: pl.Series, rule: _Rule, tally: Tally) -> None:
    for split, (row, count) in _by_split(rows["split"], counts.fill_null(0)).items():
        first = rows.row(row, named=True) if not tally.has(rule.kind, split) else None
        where = "" if first is None else f"{first['file']}:{first['line']}"
        tally.add(rule.kind, count, split=split, where=where, example="" if first is None else repr(rule.shown(first)))


def _by_split(splits: pl.Series, counts: pl.Series) -> dict[str, tuple[int, int]]:
    """Of each split in which something is found: the first such row, and the sum."""
    found = pl.DataFrame({"split": splits, "count": counts}).with_row_index("row").filter(pl.col("count") > 0)
    sums = found.group_by("split", maintain_order=True).agg(pl.col("row").first(), pl.col("count").sum())
    return {split: (row, count) for split, row, count in sums.iter_rows()}
