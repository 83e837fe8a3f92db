"""A data set that fits on one screen, for tests: six news, three readers (new, warm, and one who never clicked)."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

import polars as pl

from genre.dataset import Dataset, assemble

NewsRow: TypeAlias = tuple[str, str, str, str, str]
"""Id, category, subcategory, title and abstract."""

NEWS: list[NewsRow] = [
    ("N1", "sports", "football", "Late goal wins it", "The home side scored in the last minute."),
    ("N2", "sports", "tennis", "Five sets, one winner", "A long match in Ohio."),
    ("N3", "health", "nutrition", "What to eat now", ""),
    ("N4", "health", "fitness", "Run, but slowly", "Doctors advise a gentle start."),
    ("N5", "travel", "cities", "A weekend in Paris", "Museums, bread and rain."),
    ("N6", "travel", "nature", "The last wild coast", "Cliffs without a road."),
]
IMPRESSIONS = [
    ("1", "train", "new", ["N1", "N2"], ["N5", "N3"], [0, 1]),
    ("2", "train", "warm", ["N1", "N2", "N3", "N4", "N5", "N6"], ["N1", "N4"], [1, 0]),
    ("3", "dev", "nobody", [], ["N2", "N6"], [1, 0]),
    ("4", "dev", "new", ["N1", "N2", "N3"], ["N4", "N5"], [1, 0]),
]


def small_dataset(
    more_news: int = 0, more_histories: Sequence[Sequence[str]] = (), others: Sequence[NewsRow] = ()
) -> Dataset:
    """The data set, with `more_news` further news that nobody was shown, and one further reader for each history.

    Args:
        others: further news, as in `NEWS`.
    """
    extra = [(f"M{number}", "more", "more", f"More news {number}", "") for number in range(more_news)]
    news = pl.DataFrame(
        [*NEWS, *extra, *others], schema=["id", "category", "subcategory", "title", "abstract"], orient="row"
    )
    readers = [
        (f"more {number}", "train", f"more {number}", list(history), ["N1", "N2"], [1, 0])
        for number, history in enumerate(more_histories)
    ]
    rows = [
        {
            "impression": impression,
            "split": split,
            "user": user,
            "time": datetime(2019, 11, 11, 9, 5, 58),
            "history": history,
            "candidates": candidates,
            "labels": labels,
            "file": "behaviors.tsv",
            "line": line,
        }
        for line, (impression, split, user, history, candidates, labels) in enumerate([*IMPRESSIONS, *readers], start=1)
    ]
    behaviors = pl.DataFrame(rows, schema_overrides={"history": pl.List(pl.String), "labels": pl.List(pl.UInt8)})
    return assemble(news, behaviors, source={"reader": "test"})
