"""MIND's files: their columns, and writing a data set as such files.

Tab separated, no header and no quoting; a folder for each split with `news.tsv` and `behaviors.tsv`.
"""

from pathlib import Path
from typing import Final

import polars as pl

from genre.dataset.tables import Dataset, TextVersion
from genre.errors import UsageError
from genre.staging import staged_folder

NEWS_COLUMNS: Final = (
    "id",
    "category",
    "subcategory",
    "title",
    "abstract",
    "url",
    "title_entities",
    "abstract_entities",
)
BEHAVIORS_COLUMNS: Final = ("impression", "user", "time", "history", "candidates")
TIME_FORMAT: Final = "%m/%d/%Y %I:%M:%S %p"
_TIME_UNPADDED: Final = "%-m/%-d/%Y %-I:%M:%S %p"


def write_mind(dataset: Dataset, folder: Path, *, texts: TextVersion = "latest") -> None:
    """Write `folder/SPLIT/news.tsv` and `folder/SPLIT/behaviors.tsv` for each split, whole or not at all.

    Every split lists all news, generated ones included, so that positions stay the same when the files are read
    again. Interests, vectors, older versions of texts and the choice of clicks that encoders read have no place in
    the format and are left out.

    Args:
        texts: version of the titles and abstracts that is written.

    Raises:
        UsageError: a value cannot be said in the format: a tab or a line break in a text, blanks in an id, a time
            with fractions of a second or none, or an unlabelled candidate that looks labelled (`N1-0`). Or the folder
            cannot be made.
        RunError: it cannot be written, or is there and not empty.
    """
    news = dataset.news.with_columns(
        title=dataset.text("title", texts), abstract=dataset.text("abstract", texts)
    ).select(NEWS_COLUMNS)
    _refuse(news, pl.any_horizontal(pl.all().str.contains(r"[\t\n]")), "a tab or a line break in its texts")
    _refuse(news, pl.last().str.ends_with("\r"), "a carriage return at its end")
    _refuse(news, pl.col("id").str.starts_with("\ufeff"), "a byte order mark in its id")
    _refuse(news, (pl.col("id") == "") | pl.col("id").str.contains(" ", literal=True), "an id with blanks or none")

    behaviors = _behaviors(dataset, news["id"])
    _refuse(behaviors, pl.col("time").is_null(), "no time that the format can say")
    _refuse(behaviors, pl.any_horizontal(pl.col("impression", "user").str.contains(r"[\t\n]|^$")), "an odd id")
    _refuse(behaviors, pl.col("impression").str.starts_with("\ufeff"), "a byte order mark in its id")
    _refuse(behaviors, pl.col("candidates").str.ends_with("\r"), "a carriage return at its end")
    _refuse(behaviors, pl.col("candidates").is_null(), "unlabelled candidates that look labelled, or none")
    for split in dataset.splits:
        if split in ("", ".", "..") or Path(split).name != split:
            raise UsageError(f"the split {split!r} cannot name a folder", remedy="read the data with other split names")
    with staged_folder(folder, "data set", existing="refuse") as staging:
        for split in dataset.splits:
            target = staging / split
            target.mkdir()
            _write(news, target / "news.tsv")
            _write(behaviors.filter(pl.col("split") == split).select(BEHAVIORS_COLUMNS), target / "behaviors.tsv")


def _behaviors(dataset: Dataset, news_ids: pl.Series) -> pl.DataFrame:
    """`behaviors.tsv` as text columns, and `split`; null where a value cannot be said."""
    positions = pl.int_range(news_ids.len(), dtype=pl.UInt32, eager=True)
    name = pl.element().replace_strict(positions, news_ids, return_dtype=pl.String)
    names = pl.col("candidates").list.eval(name)
    readers = dataset.readers.select("user", history=pl.col("history").list.eval(name).list.join(" "))
    whole_second = pl.col("time") == pl.col("time").dt.truncate("1s")
    looks_labelled = names.list.eval(pl.element().str.contains("-[01]$")).list.any()
    rows = dataset.impressions.select(
        "split",
        "reader",
        "labels",
        impression="id",
        time=pl.when(whole_second).then(pl.col("time").dt.to_string(_TIME_UNPADDED)),
        candidates=pl.when(pl.col("labels").is_not_null() | ~looks_labelled).then(names),
    )
    labelled = (
        rows.with_row_index("row")
        .filter(pl.col("labels").is_not_null())
        .select("row", "candidates", "labels")
        .explode("candidates", "labels", empty_as_null=False)
        .select("row", said=pl.format("{}-{}", "candidates", "labels"))
        .group_by("row", maintain_order=True)
        .agg(pl.col("said").str.join(" "))
    )
    return (
        rows.with_row_index("row")
        .join(labelled, on="row", how="left", maintain_order="left")
        .with_columns(
            readers.select(
                pl.col("user").gather(rows["reader"]),
                pl.col("history").gather(rows["reader"]),
            ),
            candidates=pl.coalesce("said", pl.col("candidates").list.join(" ")),
        )
        .with_columns(candidates=pl.when(pl.col("candidates") != "").then("candidates"))
    )


def _refuse(rows: pl.DataFrame, condition: pl.Expr, reason: str) -> None:
    bad = rows.filter(condition)
    if bad.height:
        name = "news" if "title" in rows.columns else "impression"
        raise UsageError(
            f"the {name} {bad[NEWS_COLUMNS[0] if name == 'news' else 'impression'][0]!r} has {reason}, "
            "which MIND's files cannot hold"
        )


def _write(rows: pl.DataFrame, path: Path) -> None:
    lines = rows.select(pl.concat_str(pl.all(), separator="\t"))
    path.write_bytes("".join(f"{line}\n" for line in lines.to_series()).encode())
