"""Recorded answers: JSONL files, read strictly into rows by subject and draw."""

import gzip
import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from genre.errors import UsageError
from genre.parts import Json

DRAW_FIELD: Final = "draw"
Row: TypeAlias = Mapping[str, Json]
Recordings: TypeAlias = Mapping[tuple[str, int], Row]
"""Rows by (subject or user, draw)."""


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
        try:
            lines = _content(path).split(b"\n")  # not splitlines: a text may hold other line separators
        except (OSError, EOFError, zlib.error) as error:
            raise UsageError(f"the recordings cannot be read: {error}", where=path, remedy="check the file") from error
        for line_number, line in enumerate(lines, start=1):
            if line.strip():
                where = f"{path}:{line_number}"
                row = _row(line, where)
                recordings[_subject(row, subject_field, where), _draw(row, number, where)] = row
    return recordings


def _content(path: Path) -> bytes:
    raw = path.read_bytes()
    return gzip.decompress(raw) if path.suffix == ".gz" else raw


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
