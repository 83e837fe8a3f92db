"""The reader `mind`: MIND's news.tsv and behaviors.tsv, labelled or not, plain or gzip."""

from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Final

import attrs
import polars as pl

from genre.dataset import Dangling, Rows, RowsReader
from genre.downloads import sha256_of
from genre.errors import UsageError
from genre_datasets.mind_rows import read_behaviors, read_news
from genre_datasets.tsv import find_file

USUAL_SPLITS: Final = ("train", "dev", "test")


@attrs.frozen
class MindOptions:
    """Options of the data set `mind`.

    Attributes:
        folder: holds one sub-folder for each split, with `news.tsv` and `behaviors.tsv` (or `.tsv.gz`).
        splits: which sub-folder is which split, such as `{dev = "MINDsmall_dev"}`. Empty: those of train, dev and
            test that are there, by these names or as `MIND..._train` and so on.
        dangling: `"error"` refuses ids that name no news; `"drop"` leaves them out and counts them in the lineage.
    """

    folder: Path
    splits: dict[str, str] = attrs.field(factory=dict)
    dangling: Dangling = "error"


def mind_rows(options: MindOptions) -> Rows:
    """Open a folder of MIND's format. An impression is labelled when its candidates end in `-0` or `-1`.

    Raises:
        UsageError: a file or folder is missing; and, when the rows are taken, a row is not what MIND's format says.
    """
    folders = _split_folders(options)
    news_files = {split: find_file(folder, "news.tsv") for split, folder in folders.items()}
    behaviors_files = {split: find_file(folder, "behaviors.tsv") for split, folder in folders.items()}
    files = sorted([*news_files.values(), *behaviors_files.values()])

    def behaviors(known: Collection[str]) -> Iterator[pl.DataFrame]:
        return chain.from_iterable(read_behaviors(path, split, known) for split, path in behaviors_files.items())

    return Rows(
        map(read_news, news_files.values()),
        behaviors,
        {
            "reader": "mind",
            "splits": {split: folder.relative_to(options.folder).as_posix() for split, folder in folders.items()},
            "files": {path.relative_to(options.folder).as_posix(): sha256_of(path) for path in files},
        },
        dangling=options.dangling,
    )


read_mind: Final = RowsReader(mind_rows)


def _split_folders(options: MindOptions) -> Mapping[str, Path]:
    if not options.folder.is_dir():
        raise UsageError("there is no such folder", where=options.folder, remedy="check the option `folder`")
    if not options.splits:
        found = {split: _usual_folder(options.folder, split) for split in USUAL_SPLITS}
        folders = {split: folder for split, folder in found.items() if folder is not None}
        if not folders:
            raise UsageError(
                "the folder has no sub-folder train, dev or test, nor MIND's MIND..._train and so on",
                where=options.folder,
                remedy='name them with the option splits, such as { train = "my_train", dev = "my_dev" }',
            )
        return folders
    for split, name in options.splits.items():
        if Path(name).is_absolute() or ".." in Path(name).parts or not (options.folder / name).is_dir():
            raise UsageError(
                f"there is no sub-folder {name!r} for the split {split!r}",
                where=options.folder,
                remedy=f"it has {', '.join(sorted(path.name for path in options.folder.iterdir())) or 'nothing'}",
            )
    return {split: options.folder / name for split, name in options.splits.items()}


def _usual_folder(folder: Path, split: str) -> Path | None:
    if (folder / split).is_dir():
        return folder / split
    found = sorted(path for path in folder.glob(f"MIND*_{split}") if path.is_dir())
    if len(found) > 1:
        raise UsageError(
            f"{found[0].name} and {found[1].name} could both be the split {split!r}",
            where=folder,
            remedy=f'choose with the option splits, such as {{ {split} = "{found[0].name}" }}',
        )
    return found[0] if found else None
