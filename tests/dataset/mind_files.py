"""Writing small folders in MIND's format, byte by byte."""

import gzip
from pathlib import Path

from genre.dataset import Dangling, Dataset
from genre_datasets.mind import MindOptions, read_mind

TIME = "11/11/2019 9:05:58 AM"
NEWS = [
    "N1\tsports\tsoccer\tA title\tAn abstract\thttps://x\t[]\t[]",
    "N2\thealth\tdiet\tAnother\t\t\t[]\t[]",
    "N3\ttravel\tparks\tA third\tMore\t\t[]\t[]",
]


def behavior(
    candidates: str = "N1-1 N2-0", *, number: str = "1", user: str = "U1", time: str = TIME, history: str = "N3"
) -> str:
    """A row of behaviors.tsv."""
    return "\t".join([number, user, time, history, candidates])


def write_split(
    folder: Path, behaviors: list[str], news: list[str] | None = None, *, end: str = "\n", packed: bool = False
) -> None:
    """`news.tsv` and `behaviors.tsv` of one split."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("news.tsv", NEWS if news is None else news), ("behaviors.tsv", behaviors)):
        content = "".join(row + end for row in rows).encode()
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)


def read(folder: Path, *, dangling: Dangling = "error", splits: dict[str, str] | None = None) -> Dataset:
    """The reader `mind` with these options."""
    return read_mind(MindOptions(folder, splits or {}, dangling))
