"""The reader `adressa`: event logs of a Norwegian newspaper. Impressions are made, see `adressa_impressions`."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import attrs
import numpy as np
import polars as pl

from genre.dataset import Rows, RowsReader
from genre.downloads import sha256_of
from genre.errors import UsageError
from genre_datasets.adressa_events import Events, read_events
from genre_datasets.adressa_impressions import Impression, Rules, make_impressions
from genre_datasets.behaviors import BEHAVIORS_SCHEMA

_ROWS_AT_A_TIME: Final = 20_000
_at_least_one: Final = attrs.validators.ge(1)
_at_least_zero: Final = attrs.validators.ge(0)


@attrs.frozen
class AdressaOptions:
    """Options of the data set `adressa`.

    Attributes:
        folder: holds the day files, `20170101` and so on, plain or `.gz`.
        history_days: so many first days (UTC) fill histories only.
        train_days, dev_days, test_days: so many days after them are the splits.
        negatives: articles that are drawn beside each click.
        seed: seed of the draws.
        session_minutes: a longer pause of a user begins a new session.
        pool_hours: negatives are articles that somebody opened in so many full hours before the click's.
        longest_history: so many latest articles stay in a history.
    """

    folder: Path
    history_days: int = attrs.field(default=5, validator=_at_least_zero)
    train_days: int = attrs.field(default=1, validator=_at_least_zero)
    dev_days: int = attrs.field(default=1, validator=_at_least_zero)
    test_days: int = attrs.field(default=0, validator=_at_least_zero)
    negatives: int = attrs.field(default=9, validator=_at_least_one)
    seed: int = attrs.field(default=0, validator=_at_least_zero)
    session_minutes: int = attrs.field(default=30, validator=_at_least_zero)
    pool_hours: int = attrs.field(default=24, validator=_at_least_one)
    longest_history: int = attrs.field(default=50, validator=_at_least_one)


def adressa_rows(options: AdressaOptions) -> Rows:
    """Read a folder of day files.

    Raises:
        UsageError: there are none, a line is no event, or the log ends before the first split begins.
    """
    paths = _day_files(options.folder)
    events = read_events(paths)
    days = 1 + (int(events.time[-1]) // 86_400 - int(events.time[0]) // 86_400) if events.time.size else 0
    if days <= options.history_days:
        raise UsageError(
            f"the log has {days} days with articles, and the first {options.history_days} fill histories only",
            where=options.folder,
            remedy="add days, or lower history_days",
        )
    kept = {name: value for name, value in attrs.asdict(options).items() if name != "folder"}
    return Rows(
        [events.news],
        lambda _: _behaviors(events, _rules(options), paths),
        {
            "reader": "adressa",
            **kept,
            "events": len(events.time),
            "events_elsewhere": events.elsewhere,
            "files": {path.name: sha256_of(path) for path in paths},
        },
        text_fields=("title",),
    )


read_adressa: Final = RowsReader(adressa_rows)


def _rules(options: AdressaOptions) -> Rules:
    train = options.history_days + options.train_days
    dev = train + options.dev_days
    return Rules(
        seed=options.seed,
        negatives=options.negatives,
        session_minutes=options.session_minutes,
        pool_hours=options.pool_hours,
        longest_history=options.longest_history,
        days={"": options.history_days, "train": train, "dev": dev, "test": dev + options.test_days},
    )


def _day_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise UsageError("there is no such folder", where=folder, remedy="check the option `folder`")
    found = [path for path in sorted(folder.iterdir()) if path.is_file() and re.match(r"\d{8}(\D|$)", path.name)]
    if not found:
        raise UsageError("there is no day file, such as 20170101", where=folder, remedy="unpack Adressa's archive here")
    return found


def _behaviors(events: Events, rules: Rules, paths: Sequence[Path]) -> Iterator[pl.DataFrame]:
    made, first = make_impressions(events, rules), 1
    while block := list(islice(made, _ROWS_AT_A_TIME)):
        yield _table(block, first, events, [str(path) for path in paths])
        first += len(block)


def _table(block: Sequence[Impression], first: int, events: Events, files: Sequence[str]) -> pl.DataFrame:
    """Impressions as rows; they are numbered in the order of their clicks."""
    rows = np.array([each.event for each in block])
    named = pl.Series(events.articles, dtype=pl.String)
    ids = pl.element().replace_strict(pl.int_range(named.len(), eager=True), named, return_dtype=pl.String)
    return (
        pl.DataFrame(
            {
                "split": [each.split for each in block],
                "user": [events.users[user] for user in events.user[rows].tolist()],
                "time": events.time[rows] * 1_000_000,
                "history": pl.Series([each.history for each in block], dtype=pl.List(pl.Int64)),
                "candidates": pl.Series([each.candidates for each in block], dtype=pl.List(pl.Int64)),
                "labels": [[int(article == each.click) for article in each.candidates] for each in block],
                "file": [files[file] for file in events.file[rows].tolist()],
                "line": events.line[rows],
            },
            schema_overrides={"labels": pl.List(pl.UInt8)},
        )
        .with_columns(
            pl.col("history", "candidates").list.eval(ids),
            impression=pl.int_range(first, first + pl.len()).cast(pl.String),
        )
        .select(BEHAVIORS_SCHEMA.names())
        .cast(BEHAVIORS_SCHEMA)
    )
