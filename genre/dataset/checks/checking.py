"""Checking a whole set: rows as files have them, or a data set that was saved."""

from collections.abc import Iterator
from typing import Final

import polars as pl

from genre.dataset.checks.findings import Finding, Kind, Level, Tally, ordered
from genre.dataset.checks.impressions import FACTS, check_block
from genre.dataset.checks.news import check_news
from genre.dataset.rows import Rows
from genre.dataset.tables import Dataset

_ROWS_AT_A_TIME: Final = 20_000
"""Impressions whose ids are texts at one time."""

TRAIN: Final = "train"
LATER: Final = ("dev", "test")
"""Splits that should not begin before the train split has ended."""

_NOTHING = Kind("no-impressions", "error", "sets without any impression", "check the files")
_UNUSABLE = Kind(
    "nothing-to-train-on",
    "error",
    "train splits in which no impression has a click and something that was not clicked",
    "label the train split",
)
_NO_TRAIN = Kind("no-train", "warning", "sets without a split `train`: they can be evaluated, not trained on")
_MIXED = Kind(
    "partly-labelled",
    "warning",
    "impressions without labels in a split that has some with labels; metrics leave them out",
    "read them as a split of their own",
)
_REPEATED = Kind(
    "repeated-impressions",
    "warning",
    "impressions with the id of an earlier one of their split; a submission cannot tell them apart",
    "give each an id of its own",
)
_SEEN = Kind(
    "train-rows-again",
    "warning",
    "impressions (user, time and candidates) that stand in the train split as well",
    "remove them from one of the two: they are learned by heart",
)
_LATE = Kind(
    "train-after",
    "warning",
    "train impressions that are later than the first impression of this split",
    "cut the splits by time, unless they are meant to overlap",
)
_NO_READER = Kind(
    "no-reader",
    "error",
    "impressions of a reader that the set does not have; they are not looked at",
    "add the reader, or remove them",
)
_LEAKED = Kind(
    "leaked",
    "warning",
    "rounds whose answers were made from more than their prompts say; results are marked",
    "do not report accuracy of it",
)


def check_rows(rows: Rows) -> list[Finding]:
    """What is wrong with rows as a reader finds them; dangling ids are counted, not refused.

    Raises:
        UsageError: a row is not what its format says.
    """
    tally = Tally()
    ids = check_news(rows.news, rows.text_fields, tally)
    known = pl.Enum(ids)
    level: Level = "error" if rows.dangling == "error" else "warning"
    facts = [
        check_block(block, known, level, tally)
        for blocks in rows.behaviors(frozenset(ids))
        for block in blocks.iter_slices(_ROWS_AT_A_TIME)
    ]
    _compare(pl.concat([pl.DataFrame(schema=FACTS), *facts]), tally)
    return tally.findings


def check_dataset(dataset: Dataset, where: str = "data set") -> list[Finding]:
    """What is wrong with a data set; places are rows of its tables, counted from 1.

    Args:
        where: what places start with, such as the folder.
    """
    leaking = [step for step in dataset.lineage if step.details.get("leaked")]
    leaked = [Finding(_LEAKED, len(leaking), where=f"{where}/dataset.json")] if leaking else []
    return ordered([*leaked, *_strangers(dataset, where), *check_rows(_rows_of(dataset, where))])


def _has_reader(dataset: Dataset) -> pl.Expr:
    return (pl.col("reader") < dataset.readers.height).fill_null(value=False)


def _strangers(dataset: Dataset, where: str) -> list[Finding]:
    tally = Tally()
    lost = dataset.impressions.with_row_index("line", offset=1).filter(~_has_reader(dataset))
    rows = lost.select("split", "line", impression="id", file=pl.lit(f"{where}/impressions"))
    _add(rows, _NO_READER, tally)
    return tally.findings


def _rows_of(dataset: Dataset, where: str) -> Rows:
    fields = sorted(dataset.text_fields, key=lambda name: (name != "title", name))
    news = dataset.news.drop("origin").with_columns(
        *(dataset.text(field, "original") for field in fields),
        file=pl.lit(f"{where}/news"),
        line=pl.int_range(1, dataset.news.height + 1, dtype=pl.UInt32, eager=True),
    )
    positions = pl.int_range(dataset.news.height, dtype=pl.UInt32, eager=True)
    name = pl.element().replace_strict(positions, dataset.news["id"], default=None, return_dtype=pl.String)

    def behaviors(_: object) -> Iterator[pl.DataFrame]:
        table = dataset.impressions.with_row_index("line", offset=1).filter(_has_reader(dataset))
        for block in table.iter_slices(_ROWS_AT_A_TIME):
            readers = dataset.readers[block["reader"]].select("user", "history")
            yield pl.concat([block.drop("reader"), readers], how="horizontal").with_columns(
                pl.col("history").list.eval(name),
                pl.col("candidates").list.eval(name),
                impression="id",
                file=pl.lit(f"{where}/impressions"),
            )

    return Rows([news], behaviors, {}, tuple(fields))


def _compare(facts: pl.DataFrame, tally: Tally) -> None:
    if facts.is_empty():
        tally.add(_NOTHING, 1)
        return
    train = facts.filter(pl.col("split") == TRAIN)
    if train.is_empty():
        tally.add(_NO_TRAIN, 1)
    elif not train["usable"].any():
        tally.add(_UNUSABLE, 1, split=TRAIN, where=_place(train))
    _add(facts.filter(~pl.struct("split", "impression").is_first_distinct()), _REPEATED, tally)
    some = facts.group_by("split").agg(mixed=pl.col("labelled").any() & ~pl.col("labelled").all())
    mixed = facts.filter(~pl.col("labelled")).join(some.filter("mixed"), on="split", how="semi", maintain_order="left")
    _add(mixed, _MIXED, tally)
    again = facts.filter(pl.col("split") != TRAIN).join(train, on="key", how="semi", maintain_order="left")
    _add(again, _SEEN, tally)
    for split in LATER:
        first = facts.filter(pl.col("split") == split)["time"].min()
        late = train.filter(pl.col("time") > pl.lit(first, dtype=pl.Datetime("us")))
        if late.height:
            tally.add(_LATE, late.height, split=split, where=_place(late), example=repr(str(late["time"][0])))


def _add(found: pl.DataFrame, kind: Kind, tally: Tally) -> None:
    for (split,), rows in found.group_by("split", maintain_order=True):
        example = repr(rows["impression"][0])
        tally.add(kind, rows.height, split=str(split), where=_place(rows), example=example)


def _place(rows: pl.DataFrame) -> str:
    return f"{rows['file'][0]}:{rows['line'][0]}"
