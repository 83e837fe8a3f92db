"""The answer store: every paid answer on disk, raw, before anything parses it.

Content-addressed: the key covers what decides an answer and nothing else, so one new row costs one call, and a second
run asks for nothing again.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Literal, TypeAlias

import attrs

from genre.errors import RunError, UsageError
from genre.parts import Completion, Identity, Prompt, Usage, canonical_json

State: TypeAlias = Literal["ok", "refused", "truncated", "failed"]
"""What became of a call. A failed one is kept for the record and asked again; the others are never asked again."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS answers (
    key BLOB PRIMARY KEY,
    state TEXT NOT NULL,
    text TEXT NOT NULL,
    model TEXT NOT NULL,
    prompt_tokens INTEGER,
    completion_tokens INTEGER,
    task TEXT NOT NULL,
    subject TEXT NOT NULL,
    draw INTEGER NOT NULL,
    generator TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    template TEXT NOT NULL
) WITHOUT ROWID
"""
_COLUMNS: Final = (
    "key",
    "state",
    "text",
    "model",
    "prompt_tokens",
    "completion_tokens",
    "task",
    "subject",
    "draw",
    "generator",
    "endpoint",
    "template",
)
_PUT: Final = (
    f"INSERT INTO answers VALUES ({','.join('?' * len(_COLUMNS))}) ON CONFLICT (key) DO UPDATE SET "  # noqa: S608  constants only
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[1:])
    + " WHERE answers.state = 'failed'"
)
_FORMAT: Final = 1
_LOOK_UP: Final = 500
"""Keys in one query; SQLite allows 999 parameters in its oldest builds."""


@attrs.frozen
class StoredAnswer:
    """One row of the store.

    Attributes:
        key: hash of what decides the answer.
        state: what became of the call.
        completion: the raw answer; for a refused or failed call its text is the reason.
        task, subject, draw, generator, endpoint, template: provenance, not part of the key.
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

    @property
    def is_final(self) -> bool:
        """Whether a later run uses this answer instead of asking again."""
        return self.state != "failed"


def answer_key(prompt: Prompt, identity: Identity) -> bytes:
    """blake2b of the canonical JSON of messages, model, endpoint, parameters, sampling, schema and draw.

    Recordings (`replay`) are looked up by task and subject, so for those the prompt's own words decide nothing; they
    are part of the key all the same, so that a changed prompt is never answered in silence from an old row.
    """
    decisive = {
        "messages": [[message.role, message.content] for message in prompt.messages],
        "model": identity.model,
        "endpoint": identity.endpoint,
        "parameters": dict(identity.parameters),
        "sampling": attrs.asdict(prompt.sampling),
        "schema": prompt.schema,
        "draw": prompt.draw,
    }
    return hashlib.blake2b(canonical_json(decisive).encode(), digest_size=20).digest()


class AnswerStore:
    """An SQLite file (WAL, synchronous FULL). One writer; other processes may read at the same time.

    Use from one thread at a time.
    """

    def __init__(self, path: Path) -> None:
        """Open or create the store.

        Raises:
            UsageError: the file cannot be opened, is not a store, or is of a later version.
        """
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=60, check_same_thread=False)
            self._prepare()
        except (OSError, sqlite3.OperationalError) as error:
            raise UsageError(
                f"the answer store cannot be opened: {error}", where=path, remedy="check the path"
            ) from error
        except sqlite3.DatabaseError as error:
            raise UsageError(f"not an answer store: {error}", where=path, remedy="name another file") from error

    def _prepare(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        tables = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if version != _FORMAT and (version or tables):
            raise UsageError(
                f"an SQLite file of format {version}, and this version reads answer stores of format {_FORMAT}",
                where=self.path,
                remedy="name another file",
            )
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        with self._connection:
            self._connection.execute(_SCHEMA)
            self._connection.execute(f"PRAGMA user_version={_FORMAT}")

    def look_up(self, keys: Sequence[bytes]) -> dict[bytes, StoredAnswer]:
        """The final answers among `keys`; failed calls are not among them.

        Raises:
            RunError: the file is damaged.
        """
        found: dict[bytes, StoredAnswer] = {}
        for start in range(0, len(keys), _LOOK_UP):
            some = keys[start : start + _LOOK_UP]
            marks = ",".join("?" * len(some))
            query = f"SELECT * FROM answers WHERE state != 'failed' AND key IN ({marks})"  # noqa: S608  marks only
            try:
                rows = self._connection.execute(query, some).fetchall()
            except sqlite3.Error as error:
                raise RunError(f"the answer store cannot be read: {error}", where=self.path) from error
            found.update((answer.key, answer) for answer in map(_from_row, rows))
        return found

    def put(self, answers: Iterable[StoredAnswer]) -> None:
        """Write answers in one transaction; when this returns they are on disk. A final answer is never replaced.

        Raises:
            RunError: the file cannot be written.
        """
        rows = [_to_row(answer) for answer in answers]
        try:
            with self._connection:
                self._connection.executemany(_PUT, rows)
        except sqlite3.Error as error:
            raise RunError(f"the answer store cannot be written: {error}", where=self.path) from error

    def count(self) -> dict[str, int]:
        """Number of answers by state."""
        return dict(self._connection.execute("SELECT state, count(*) FROM answers GROUP BY state ORDER BY state"))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _to_row(answer: StoredAnswer) -> tuple[object, ...]:
    completion = answer.completion
    return (
        answer.key,
        answer.state,
        _storable(completion.text),
        _storable(completion.model),
        _count(completion.usage.prompt_tokens),
        _count(completion.usage.completion_tokens),
        *map(_storable, (answer.task, answer.subject)),
        answer.draw,
        *map(_storable, (answer.generator, answer.endpoint, answer.template)),
    )


def _storable(text: str) -> str:
    """A lone surrogate cannot be stored; what cannot be read by anyone is kept in an escaped form."""
    return text.encode("utf-8", "backslashreplace").decode()


def _count(tokens: int | None) -> int | None:
    """A server may say anything; what is no count of tokens is not known."""
    return tokens if tokens is not None and 0 <= tokens < 1 << 40 else None


def _from_row(row: tuple[object, ...]) -> StoredAnswer:
    key, state, text, model, prompt_tokens, completion_tokens, *provenance = row
    completion = Completion(
        text=text,  # type: ignore[arg-type]
        model=model,  # type: ignore[arg-type]
        finish="length" if state == "truncated" else "stop",
        usage=Usage(prompt_tokens, completion_tokens),  # type: ignore[arg-type]
    )
    return StoredAnswer(key, state, completion, *provenance)  # type: ignore[arg-type]
