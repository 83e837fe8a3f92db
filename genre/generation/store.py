"""The answer store: every paid answer on disk, raw, before anything parses it.

Content-addressed: the key covers what decides an answer and nothing else, so one new row costs one call, and a second
run asks for nothing again. Beside it stands the question, which is the same whoever answers.
"""

import math
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, Literal, TypeAlias, TypedDict, Unpack

import attrs

from genre.errors import RunError, UsageError
from genre.parts import Completion, Usage

State: TypeAlias = Literal["ok", "refused", "truncated", "failed"]
"""What became of a call. A failed one is kept for the record and asked again; the others are never asked again."""

DEFINITIONS: Final = {
    "key": "BLOB NOT NULL PRIMARY KEY",
    "state": "TEXT NOT NULL",
    "text": "TEXT NOT NULL",
    "model": "TEXT NOT NULL",
    "prompt_tokens": "INTEGER",
    "completion_tokens": "INTEGER",
    "task": "TEXT NOT NULL",
    "subject": "TEXT NOT NULL",
    "draw": "INTEGER NOT NULL",
    "generator": "TEXT NOT NULL",
    "endpoint": "TEXT NOT NULL",
    "template": "TEXT NOT NULL",
    "question": "BLOB",
    "cost": "REAL",
    "identity": "TEXT NOT NULL DEFAULT ''",
    "stored_at": "INTEGER",
}
SINCE_FORMAT_2: Final = ("question", "cost", "identity", "stored_at")
_FORMAT: Final = 2
COLUMNS: Final = ", ".join(DEFINITIONS)
CREATE_TABLE: Final = f"CREATE TABLE answers ({', '.join(f'{name} {kind}' for name, kind in DEFINITIONS.items())})"
"""With row ids: answers are appended, and only their short keys stand in random order. Files that earlier versions
created WITHOUT ROWID are as good, but three times as large."""
_REPLACED: Final = {"cost": "cost = answers.cost + excluded.cost"}
"""A failed call may have been paid: what it cost is added to what the next one costs; unknown (NULL) stays unknown."""
_PUT: Final = (
    f"INSERT INTO answers ({COLUMNS}) VALUES ({','.join('?' * len(DEFINITIONS))}) ON CONFLICT (key) DO UPDATE SET "  # noqa: S608  constants only
    + ", ".join(_REPLACED.get(name, f"{name} = excluded.{name}") for name in list(DEFINITIONS)[1:])
    + " WHERE answers.state = 'failed'"
)
_TOTALS: Final = (
    "task, generator, model, state, count(*), sum(prompt_tokens), sum(completion_tokens), sum(cost), "
    "sum(cost IS NULL), min(stored_at), max(stored_at), sum(stored_at IS NULL)"
)
_LOOK_UP: Final = 500
"""Keys in one query; SQLite allows 999 parameters in its oldest builds."""
PATIENCE: Final = 60.0
"""Seconds that one process waits for another one's write."""


@attrs.frozen
class StoredAnswer:
    """One row of the store.

    Attributes:
        key: hash of what decides the answer.
        state: what became of the call.
        completion: the raw answer; for a refused or failed call its text is the reason.
        task, subject, draw, generator, endpoint, template: provenance, not part of the key.
        question: hash of what was asked, see `genre.generation.keys`; None where an earlier version stored the row.
        cost: USD; None where it is unknown.
        identity: the generator's identity, see `genre.generation.keys`; empty where it is unknown.
        stored_at: seconds since 1970 in UTC. The store sets it; two rows that differ in nothing else are equal.
    """

    key: bytes
    state: State
    completion: Completion
    task: str
    subject: str
    draw: int
    generator: str
    endpoint: str
    template: str
    question: bytes | None = None
    cost: float | None = None
    identity: str = ""
    stored_at: int | None = attrs.field(default=None, eq=False)

    @property
    def is_final(self) -> bool:
        """Whether a later run uses this answer instead of asking again."""
        return self.state != "failed"


class Which(TypedDict, total=False):
    """Which rows are meant: those that meet all that is given and not None.

    `model` is the model that answered, as the provider names it. `stored_before` are seconds since 1970 in UTC; rows of
    unknown age are not before anything.
    """

    key: bytes | None
    task: str | None
    subject: str | None
    draw: int | None
    generator: str | None
    model: str | None
    state: State | None
    stored_before: int | None


@attrs.frozen
class Totals:
    """What the answers of one task, generator, model and state come to.

    Attributes:
        prompt_tokens, completion_tokens, cost: sums of what is known; None when nothing is.
        unknown_costs, ageless: answers whose cost, and whose time, is unknown.
        first, last: when they were stored, seconds since 1970 in UTC; None where that is unknown.
    """

    task: str
    generator: str
    model: str
    state: State
    answers: int
    prompt_tokens: int | None
    completion_tokens: int | None
    cost: float | None
    unknown_costs: int
    first: int | None
    last: int | None
    ageless: int


class AnswerStore:
    """An SQLite file (WAL, synchronous FULL). Processes may share it: a second writer waits, and readers never do.

    Use from one thread at a time.
    """

    def __init__(self, path: Path) -> None:
        """Open or create the store; one of an earlier format is brought up to date in place.

        Raises:
            UsageError: the file cannot be opened, is not a store, or is of a later version.
        """
        self.path = path
        try:
            self._connection = self._connect()
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise
        except (OSError, sqlite3.OperationalError) as error:
            raise UsageError(
                f"the answer store cannot be opened: {error}", where=path, remedy="check the path"
            ) from error
        except sqlite3.DatabaseError as error:
            raise UsageError(f"not an answer store: {error}", where=path, remedy="name another file") from error

    def _connect(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Transactions are begun by hand: IMMEDIATE, so that waiting happens before anything is read.
        return sqlite3.connect(self.path, timeout=PATIENCE, check_same_thread=False, isolation_level=None)

    def _prepare(self) -> None:
        if self._checked_format() != _FORMAT:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                version = self._checked_format()  # another process may have been faster
                if version == 0:
                    self._connection.execute(CREATE_TABLE)
                elif version == 1:
                    for name in SINCE_FORMAT_2:
                        self._connection.execute(f"ALTER TABLE answers ADD COLUMN {name} {DEFINITIONS[name]}")
                self._connection.execute(f"PRAGMA user_version={_FORMAT}")
        self._use_wal()
        self._connection.execute("PRAGMA synchronous=FULL")

    def _checked_format(self) -> int:
        """The format of the file, 0 for an empty one."""
        # One statement: another process may create the table between two.
        query = "SELECT user_version, (SELECT count(*) FROM sqlite_master) FROM pragma_user_version"
        version, tables = map(int, self._connection.execute(query).fetchone())
        if not 0 <= version <= _FORMAT or bool(version) != bool(tables):
            raise UsageError(
                f"an SQLite file of format {version}, and this version reads answer stores of format 1 to {_FORMAT}",
                where=self.path,
                remedy="name another file",
            )
        return version

    def _use_wal(self) -> None:
        """Switch to the write-ahead log; SQLite does not wait by itself while another process opens the file."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(0.01)
            else:
                return

    def look_up(self, keys: Sequence[bytes]) -> dict[bytes, StoredAnswer]:
        """The final answers among `keys`; failed calls are not among them.

        Raises:
            RunError: the file is damaged.
        """
        found: dict[bytes, StoredAnswer] = {}
        for start in range(0, len(keys), _LOOK_UP):
            some = keys[start : start + _LOOK_UP]
            marks = ",".join("?" * len(some))
            query = f"SELECT {COLUMNS} FROM answers WHERE state != 'failed' AND key IN ({marks})"  # noqa: S608  marks only
            found.update((answer.key, answer) for answer in map(from_row, self.read(query, some)))
        return found

    def rows(self, **which: Unpack[Which]) -> Iterator[StoredAnswer]:
        """Rows one at a time, in the order of task, subject, draw and key, as they are when the first one is read.

        Read through a connection of its own, so that a run may go on writing.

        Raises:
            RunError: the file is damaged.
        """
        where, values = _where(which)
        query = f"SELECT {COLUMNS} FROM answers{where} ORDER BY task, subject, draw, key"  # noqa: S608  names of columns only
        uri = f"{self.path.absolute().as_uri()}?mode=ro"
        try:
            connection = sqlite3.connect(uri, uri=True, timeout=PATIENCE, check_same_thread=False)
        except sqlite3.Error as error:
            raise RunError(f"the answer store cannot be read: {error}", where=self.path) from error
        with closing(connection):
            yield from map(from_row, self.read(query, values, connection=connection))

    def put(self, answers: Iterable[StoredAnswer]) -> None:
        """Write answers in one transaction; when this returns they are on disk. A final answer is never replaced.

        Raises:
            RunError: the file cannot be written.
        """
        now = int(time.time())
        rows = [_to_row(answer, now) for answer in answers]
        with self.transaction() as connection:
            connection.executemany(_PUT, rows)

    def totals(self, **which: Unpack[Which]) -> list[Totals]:
        """Answers, tokens and cost by task, generator, model and state.

        Raises:
            RunError: the file is damaged.
        """
        where, values = _where(which)
        query = f"SELECT {_TOTALS} FROM answers{where} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"  # noqa: S608  names of columns only
        return [Totals(*row) for row in self.read(query, values)]  # type: ignore[arg-type]

    def prune(self, **which: Unpack[Which]) -> list[Totals]:
        """Delete rows for good, and tell what they came to. `which` must say something.

        Raises:
            RunError: the file cannot be written.
        """
        where, values = _where(which)
        if not where:
            raise ValueError("prune is told which rows to delete")
        with self.transaction() as connection:
            deleted = self.totals(**which)
            connection.execute(f"DELETE FROM answers{where}", values)  # noqa: S608  names of columns only
        return deleted

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Statements that take effect together, and are on disk when the block ends.

        Raises:
            RunError: the file cannot be written.
        """
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
        except sqlite3.Error as error:
            raise self._not_written(error) from error

    def vacuum(self) -> None:
        """Give the space of deleted rows back to the disk.

        Raises:
            RunError: another process is in the way, or the disk is full; nothing is lost.
        """
        try:
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise self._not_written(error) from error

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def read(
        self, query: str, values: Sequence[object] = (), *, connection: sqlite3.Connection | None = None
    ) -> Iterator[tuple[object, ...]]:
        """Rows of a query, one at a time.

        Raises:
            RunError: the file is damaged.
        """
        try:
            yield from (connection or self._connection).execute(query, values)
        except sqlite3.Error as error:
            raise RunError(f"the answer store cannot be read: {error}", where=self.path) from error

    def _not_written(self, error: sqlite3.Error) -> RunError:
        return RunError(f"the answer store cannot be written: {error}", where=self.path)


def _where(which: Which) -> tuple[str, list[object]]:
    given = {name: value for name, value in which.items() if value is not None}
    conditions = ["stored_at < ?" if name == "stored_before" else f"{name} = ?" for name in given]
    return (f" WHERE {' AND '.join(conditions)}" if conditions else ""), list(given.values())


def _to_row(answer: StoredAnswer, now: int) -> tuple[object, ...]:
    completion = answer.completion
    return (
        answer.key,
        answer.state,
        storable(completion.text),
        storable(completion.model),
        _count(completion.usage.prompt_tokens),
        _count(completion.usage.completion_tokens),
        *map(storable, (answer.task, answer.subject)),
        answer.draw,
        *map(storable, (answer.generator, answer.endpoint, answer.template)),
        answer.question,
        _amount(answer.cost),
        storable(answer.identity),
        now if answer.stored_at is None else answer.stored_at,
    )


def storable(text: str) -> str:
    """A lone surrogate cannot be stored; what cannot be read by anyone is kept in an escaped form."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def _count(tokens: int | None) -> int | None:
    """A server may say anything; what is no count of tokens is not known."""
    return tokens if tokens is not None and 0 <= tokens < 1 << 40 else None


def _amount(cost: float | None) -> float | None:
    """What is no amount of money is not known."""
    return cost if cost is not None and math.isfinite(cost) and cost >= 0 else None


def from_row(row: tuple[object, ...]) -> StoredAnswer:
    """A row of `COLUMNS` as an answer."""
    key, state, text, model, prompt_tokens, completion_tokens, *provenance = row
    completion = Completion(
        text=text,  # type: ignore[arg-type]
        model=model,  # type: ignore[arg-type]
        finish="length" if state == "truncated" else "stop",
        usage=Usage(prompt_tokens, completion_tokens),  # type: ignore[arg-type]
    )
    return StoredAnswer(key, state, completion, *provenance)  # type: ignore[arg-type]
