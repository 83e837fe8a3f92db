"""The reader `mind`: MIND's news.tsv and behaviors.tsv, labelled or not, plain or gzip."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

import attrs
import polars as pl

from genre.dataset import BEHAVIORS_COLUMNS, NEWS_COLUMNS, TIME_FORMAT, Dangling, Dataset, assemble
from genre.errors import UsageError
from genre_datasets.tsv import content_hash, find_file, read_rows

USUAL_SPLITS: Final = ("train", "dev", "test")

_NEWS_SCHEMA: Final = pl.Schema(dict.fromkeys(NEWS_COLUMNS, pl.String()))
_BEHAVIORS_SCHEMA: Final = pl.Schema(
    {
        "impression": pl.String(),
        "split": pl.String(),
        "user": pl.String(),
        "time": pl.Datetime("us"),
        "history": pl.List(pl.String()),
        "candidates": pl.List(pl.String()),
        "labels": pl.List(pl.UInt8()),
        "file": pl.String(),
        "line": pl.UInt32(),
    }
)


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


def read_mind(options: MindOptions) -> Dataset:
    """Read a folder of MIND's format. An impression is labelled when its candidates end in `-0` or `-1`.

    Raises:
        UsageError: a file or folder is missing, or a row is not what MIND's format says; names file and line.
    """
    folders = _split_folders(options)
    news_files = {split: find_file(folder, "news.tsv") for split, folder in folders.items()}
    behaviors_files = {split: find_file(folder, "behaviors.tsv") for split, folder in folders.items()}
    news = pl.concat([pl.DataFrame(schema=_NEWS_SCHEMA), *(_read_news(path) for path in news_files.values())])
    known = frozenset(news["id"])
    behaviors = pl.concat(
        [
            pl.DataFrame(schema=_BEHAVIORS_SCHEMA),
            *(block for split, path in behaviors_files.items() for block in _read_behaviors(path, split, known)),
        ]
    )
    files = sorted([*news_files.values(), *behaviors_files.values()])
    return assemble(
        news,
        behaviors,
        dangling=options.dangling,
        source={
            "reader": "mind",
            "splits": {split: folder.relative_to(options.folder).as_posix() for split, folder in folders.items()},
            "files": {path.relative_to(options.folder).as_posix(): content_hash(path) for path in files},
        },
    )


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


def _read_news(path: Path) -> pl.DataFrame:
    blocks = [pl.DataFrame(schema=_NEWS_SCHEMA)]
    for rows in read_rows(path, NEWS_COLUMNS):
        _refuse(
            rows.filter((pl.col("id") == "") | pl.col("id").str.contains(" ", literal=True)),
            path,
            "id",
            "the news id {!r} is empty or has blanks in it",
            "behaviors.tsv separates ids by blanks; give the news another id",
        )
        blocks.append(rows.drop("line"))
    return pl.concat(blocks)


def _read_behaviors(path: Path, split: str, known: Collection[str]) -> Iterator[pl.DataFrame]:
    for rows in read_rows(path, BEHAVIORS_COLUMNS):
        for column in ("impression", "user"):
            _refuse(rows.filter(pl.col(column) == ""), path, column, f"the {column} id is empty", "every row has one")
        timed = rows.with_columns(parsed=pl.col("time").str.to_datetime(TIME_FORMAT, time_unit="us", strict=False))
        _refuse(
            timed.filter(pl.col("parsed").is_null()),
            path,
            "time",
            "the time {!r} is not a time as MIND writes it",
            "write it like 11/11/2019 9:05:58 AM",
        )
        yield (
            _with_candidates(timed, path, known)
            .with_columns(
                split=pl.lit(split),
                time="parsed",
                history=_ids("history"),
                file=pl.lit(str(path)),
            )
            .select(_BEHAVIORS_SCHEMA.names())
            .cast(_BEHAVIORS_SCHEMA)
        )


def _with_candidates(rows: pl.DataFrame, path: Path, known: Collection[str]) -> pl.DataFrame:
    """The column `candidates` as lists of ids, and `labels`: null in a row none of whose candidates ends in a label."""
    rows = rows.with_columns(tokens=_ids("candidates"))
    _refuse(
        rows.filter(pl.col("tokens").list.len() == 0),
        path,
        "candidates",
        "the impression has no candidates",
        "remove the row: nothing is recommended in it",
    )
    count = pl.col("candidates").str.count_matches("-[01](?: |$)")
    rows = rows.with_columns(labelled=count == pl.col("tokens").list.len(), mixed=count > 0)
    _refuse_bad_labels(rows.filter(~pl.col("labelled")), path, known)
    token = pl.element()
    return rows.with_columns(
        candidates=pl.when("labelled").then(pl.col("tokens").list.eval(token.str.head(-2))).otherwise("tokens"),
        labels=pl.when("labelled").then(pl.col("tokens").list.eval(token.str.ends_with("-1").cast(pl.UInt8))),
    )


def _refuse_bad_labels(rows: pl.DataFrame, path: Path, known: Collection[str]) -> None:
    """Among rows that are not labelled throughout, refuse those that are not unlabelled throughout either.

    A label is what follows the last hyphen. Since an id may hold a hyphen too, `A-2` is taken as a wrong label only
    when `A` is a news and `A-2` is none.
    """
    suspects = rows.filter(pl.col("mixed") | pl.col("candidates").str.contains("-", literal=True))
    for line, mixed, tokens in suspects.select("line", "mixed", "tokens").iter_rows():
        odd = [token for token in tokens if not token.endswith(("-0", "-1"))]
        for token in odd:
            name, hyphen, label = token.rpartition("-")
            if hyphen and name in known and token not in known:
                raise UsageError(
                    f"the label {label!r} of the candidate {token!r} is neither 0 nor 1",
                    where=f"{path}:{line}",
                    remedy="write 1 for a click and 0 for none",
                )
        if mixed:
            raise UsageError(
                f"labelled and unlabelled candidates in one impression: {odd[0]!r} has no label",
                where=f"{path}:{line}",
                remedy="label all of them, such as N1-1 N2-0, or none",
            )


def _ids(column: str) -> pl.Expr:
    """Ids separated by blanks -> a list; a text of blanks only is no id."""
    text = pl.col(column).str.strip_chars(" ").str.replace_all(" {2,}", " ")
    return pl.when(text == "").then(pl.lit([], dtype=pl.List(pl.String))).otherwise(text.str.split(" "))


def _refuse(bad: pl.DataFrame, path: Path, column: str, message: str, remedy: str) -> None:
    if bad.height:
        raise UsageError(message.format(bad[column][0]), where=f"{path}:{bad['line'][0]}", remedy=remedy)
