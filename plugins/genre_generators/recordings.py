"""Recorded answers: JSONL files, read strictly into rows by subject and draw, or into answers by what was asked."""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Final, TypeAlias, cast

from genre.errors import UsageError
from genre.generation.exports import exported_answer, is_export_row
from genre.generation.store import State
from genre.parts import Json

DRAW_FIELD: Final = "draw"
Row: TypeAlias = Mapping[str, Json]
Recordings: TypeAlias = Mapping[tuple[str, int], Row]
"""Rows by (subject, user or question, draw)."""
_KEPT: Final = ("format", "question", "state", "text", "model")


def read_recordings(paths: Sequence[Path], subject_field: str) -> Recordings:
    """Every row of the files; of two for the same subject and draw the last one.

    Args:
        paths: JSONL files, plain or gzip (`.gz`). A row's draw is its field `draw`, or else the number of its file.
        subject_field: the field of a row that holds the id.

    Raises:
        UsageError: a file cannot be read, or a row is malformed; names file and line.
    """
    recordings: dict[tuple[str, int], Row] = {}
    for number, path in enumerate(paths):
        for row, where in _rows(path):
            if is_export_row(row):
                exported_answer(row, where)
            recordings[_subject(row, subject_field, where), _draw(row, number, where)] = row
    return recordings


def read_export(paths: Sequence[Path]) -> Recordings:
    """Answers of exports of the answer store, by what was asked; failed calls are none.

    Args:
        paths: what `genre store export` wrote, plain or gzip (`.gz`).

    Raises:
        UsageError: a file cannot be read, a line is malformed, or a question has two answers; names file and line.
    """
    export: dict[tuple[str, int], Row] = {}
    where = ""
    for path in paths:
        for row, where in _rows(path):
            answer = exported_answer(row, where)
            if answer.question is None or answer.state == "failed":
                continue
            kept = {name: row[name] for name in _KEPT}
            if export.setdefault((answer.question, answer.draw), kept) != kept:
                raise UsageError(
                    f"a second answer, of {answer.model!r}, to a question about {answer.subject!r} of {answer.task}",
                    where=where,
                    remedy="export the answers of one model: genre store export --model NAME or --generator NAME",
                )
    if where and not export:
        raise UsageError(
            "no line says what was asked: an earlier version stored these answers",
            where=paths[0],
            remedy='look them up by subject: by = "subject", subject_field = "subject", answer = "{{ text }}"',
        )
    return export


def state_of(row: Row) -> State:
    """What became of the recorded call; only exports say so."""
    return cast(State, row["state"]) if is_export_row(row) else "ok"


def is_export(path: Path) -> bool:
    """Whether the first line of a file is one of an export; what cannot be read is told when all of it is."""
    try:
        return is_export_row(next(_rows(path), (None, ""))[0])
    except UsageError:
        return False


def _rows(path: Path) -> Iterator[tuple[Row, str]]:
    """The rows of a file, each with its place."""
    try:
        with _opened(path) as file:  # binary: lines end at \n only, since a text may hold other line separators
            for line_number, line in enumerate(file, start=1):
                if line.strip():
                    yield _row(line, f"{path}:{line_number}"), f"{path}:{line_number}"
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"the recordings cannot be read: {error}", where=path, remedy="check the file") from error


def _opened(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def _row(line: bytes, where: str) -> Row:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not JSON: {error}", where=where, remedy="mend or remove the line") from error
    if not isinstance(row, dict):
        raise UsageError("not a JSON object", where=where, remedy="mend or remove the line")
    return row


def _subject(row: Row, field: str, where: str) -> str:
    subject = row.get(field)
    if not isinstance(subject, str) or not subject:
        raise UsageError(
            f"the field {field!r} is {subject!r}, and an id is expected",
            where=where,
            remedy=f"set `subject_field` to one of: {', '.join(sorted(row))}",
        )
    return subject


def _draw(row: Row, default: int, where: str) -> int:
    draw = row.get(DRAW_FIELD, default)
    if not isinstance(draw, int) or isinstance(draw, bool) or draw < 0:
        raise UsageError(f"the draw {draw!r} is not a whole number from 0", where=where, remedy="mend the line")
    return draw


def stem(path: Path) -> str:
    """A file's name without what tells its format."""
    return path.name.removesuffix(".gz").removesuffix(".jsonl")
