"""Writing small folders in EB-NeRD's format."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

TIME = datetime(2023, 5, 25, 7, 30, 1)
ARTICLES = {
    "article_id": [101, 102, 103, 104],
    "title": ["En titel", "To", "Tre", "Fire"],
    "subtitle": ["Mere", "", None, "x"],
    "body": ["Tekst", "b", "c", "d"],
    "category_str": ["sport", "nyheder", "sport", "krimi"],
    "subcategory": [[196, 271], [], None, [5]],
    "url": ["https://x/101", "", "", ""],
    "premium": [False, False, True, False],
}
ARTICLE_TYPES = {"article_id": pl.Int32, "subcategory": pl.List(pl.Int16)}
BEHAVIOR_TYPES = {
    "impression_id": pl.UInt32,
    "user_id": pl.UInt32,
    "article_ids_inview": pl.List(pl.Int32),
    "article_ids_clicked": pl.List(pl.Int32),
    "impression_time": pl.Datetime("us"),
}


def row(
    inview: Sequence[int | None] | None = (101, 102),
    clicked: Sequence[int] | None = (101,),
    *,
    number: int | None = 1,
    user: int | None = 7,
) -> dict[str, Any]:
    """A row of behaviors.parquet."""
    return {
        "impression_id": number,
        "user_id": user,
        "article_ids_inview": None if inview is None else list(inview),
        "article_ids_clicked": None if clicked is None else list(clicked),
        "impression_time": TIME,
    }


def write_articles(folder: Path, **columns: list[Any]) -> None:
    """articles.parquet; a column that is given replaces the usual one."""
    folder.mkdir(parents=True, exist_ok=True)
    pl.DataFrame({**ARTICLES, **columns}, schema_overrides=ARTICLE_TYPES).write_parquet(folder / "articles.parquet")


def write_split(
    folder: Path, rows: list[dict[str, Any]], histories: dict[int, list[int]] | None = None, *, labelled: bool = True
) -> None:
    """behaviors.parquet and history.parquet of one split."""
    folder.mkdir(parents=True, exist_ok=True)
    behaviors = pl.DataFrame(rows, schema=BEHAVIOR_TYPES)
    behaviors = behaviors if labelled else behaviors.drop("article_ids_clicked")
    behaviors.write_parquet(folder / "behaviors.parquet")
    held = {7: [103, 104]} if histories is None else histories
    pl.DataFrame(
        {"user_id": list(held), "article_id_fixed": list(held.values())},
        schema={"user_id": pl.UInt32, "article_id_fixed": pl.List(pl.Int32)},
    ).write_parquet(folder / "history.parquet")


def write_bundle(folder: Path) -> None:
    """A bundle with a train and a validation split."""
    write_articles(folder)
    write_split(folder / "train", [row(), row((103, 102), (102,), number=2, user=8)])
    write_split(folder / "validation", [row((104, 101), (104,), number=3)], {7: [101]})
