"""Answers that were set aside, so that their questions are asked anew: kept in the store, since they were paid.

They stand in a table of their own, beside the one that rounds look into. So nothing finds them by their key, and the
new answer takes their place; they are counted, and can be exported.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Final

import attrs

from genre.generation.store import COLUMNS, DEFINITIONS, AnswerStore, StoredAnswer, from_row, storable

_CREATE: Final = (
    "CREATE TABLE IF NOT EXISTS superseded (number INTEGER NOT NULL, key BLOB NOT NULL, "
    + ", ".join(f"{name} {kind}" for name, kind in DEFINITIONS.items() if name != "key")
    + ", PRIMARY KEY (key, number))"
)
"""With row ids, for the reason that `CREATE_TABLE` tells; files that earlier versions created without are as good."""
_KNOWN: Final = "SELECT 1 FROM sqlite_master WHERE name = 'superseded'"


@attrs.frozen
class Superseded:
    """What the answers that were set aside come to.

    Attributes:
        cost: US dollars, as far as they are known; None when none is.
    """

    answers: int
    cost: float | None


def set_aside(store: AnswerStore, unusable: Iterable[tuple[bytes, str, int | None]]) -> list[int]:
    """Take answers out of the way of a new one.

    Args:
        unusable: keys, the text of the answer that is meant, and how many answers had been set aside when it was found
            unusable (None where an earlier version did not say). An answer with another text is a newer one and stays,
            and so is one that came after more were set aside: a retry that was interrupted can be called again and
            pays for nothing twice.

    Returns:
        For each key how many answers have been set aside so far.

    Raises:
        RunError: the store cannot be written.
    """
    with store.transaction() as connection:
        connection.execute(_CREATE)
        return [_set_aside(connection, key, storable(text), before) for key, text, before in unusable]


def superseded_answers(store: AnswerStore) -> Iterator[StoredAnswer]:
    """The answers that were set aside, in the order of task, subject, draw, key and time.

    Raises:
        RunError: the store cannot be read.
    """
    if next(store.read(_KNOWN), None):
        query = f"SELECT {COLUMNS} FROM superseded ORDER BY task, subject, draw, key, number"  # noqa: S608  constants
        yield from map(from_row, store.read(query))


def superseded_total(store: AnswerStore) -> Superseded:
    """How many answers were set aside, and what they had cost.

    Raises:
        RunError: the store cannot be read.
    """
    if not next(store.read(_KNOWN), None):
        return Superseded(0, None)
    return Superseded(*next(store.read("SELECT count(*), sum(cost) FROM superseded")))  # type: ignore[arg-type]


def _set_aside(connection: sqlite3.Connection, key: bytes, text: str, before: int | None) -> int:
    number = int(connection.execute("SELECT count(*) FROM superseded WHERE key = ?", (key,)).fetchone()[0])
    if before is not None and number > before:
        return number
    is_meant = "key = ? AND text = ? AND state != 'failed'"  # a failed call is asked again anyway
    moved = connection.execute(
        f"INSERT INTO superseded (number, {COLUMNS}) SELECT ?, {COLUMNS} FROM answers WHERE {is_meant}",  # noqa: S608  constants
        (number, key, text),
    ).rowcount
    connection.execute(f"DELETE FROM answers WHERE {is_meant}", (key, text))  # noqa: S608  constants
    return number + moved
