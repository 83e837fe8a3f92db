"""The reader `ebnerd`: EB-NeRD of the RecSys Challenge 2024, Danish news of Ekstra Bladet."""

from collections.abc import Collection, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final

import attrs
import polars as pl

from genre.dataset import Dangling, Rows, RowsReader
from genre.downloads import sha256_of
from genre.errors import UsageError
from genre_datasets.ebnerd_tables import read_articles, read_behaviors

SPLITS: Final = {"train": "train", "dev": "validation", "test": "test"}
"""The usual splits, and what EB-NeRD calls their folders."""

ARTICLES: Final = "articles.parquet"
TABLES: Final = ("behaviors.parquet", "history.parquet")
"""What each split has."""


@attrs.frozen
class EbnerdOptions:
    """Options of the data set `ebnerd`.

    Attributes:
        folder: a bundle such as `ebnerd_small`, or a folder of several, such as `ebnerd_small` and `ebnerd_testset`.
        body: whether the articles' bodies are read, too, as the text field `body`.
        dangling: `"error"` refuses ids that name no article; `"drop"` leaves them out and counts them in the lineage.
    """

    folder: Path
    body: bool = False
    dangling: Dangling = "error"


def ebnerd_rows(options: EbnerdOptions) -> Rows:
    """Open a folder of EB-NeRD. A split without `article_ids_clicked` has no labels.

    Raises:
        UsageError: a file or column is missing; and, when the rows are taken, a row is not what the format says.
    """
    if not options.folder.is_dir():
        raise UsageError("there is no such folder", where=options.folder, remedy="check the option `folder`")
    articles = _found(options.folder, ARTICLES)
    folders = {split: place for split, name in SPLITS.items() if (place := _split(options.folder, name)) is not None}
    if not articles or not folders:
        missing = ARTICLES if not articles else "sub-folder train, validation or test"
        raise UsageError(f"there is no {missing}", where=options.folder, remedy="name the folder of a bundle")
    files = sorted([*articles, *(folder / name for folder in folders.values() for name in TABLES)])

    def behaviors(_: Collection[str]) -> Iterator[pl.DataFrame]:
        return chain.from_iterable(read_behaviors(folder, split) for split, folder in folders.items())

    return Rows(
        map(partial(read_articles, body=options.body), articles),
        behaviors,
        {
            "reader": "ebnerd",
            "body": options.body,
            "files": {path.relative_to(options.folder).as_posix(): sha256_of(path) for path in files},
        },
        text_fields=("title", "abstract", "body") if options.body else ("title", "abstract"),
        dangling=options.dangling,
    )


read_ebnerd: Final = RowsReader(ebnerd_rows)


def _split(folder: Path, name: str) -> Path | None:
    found = [path for path in _found(folder, name) if path.is_dir()]
    if len(found) > 1:
        raise UsageError(
            f"{found[0].parent.name} and {found[1].parent.name} both have a folder {name}",
            where=folder,
            remedy="keep one of them there, or name one bundle as the folder",
        )
    if not found:
        return None
    for file in TABLES:
        if not (found[0] / file).is_file():
            raise UsageError("there is no such file", where=found[0] / file, remedy="unpack the bundle again")
    return found[0]


def _found(folder: Path, name: str) -> list[Path]:
    """What has this name in the folder, or in one of its folders."""
    return [path for path in (folder / name, *sorted(folder.glob(f"*/{name}"))) if path.exists()]
