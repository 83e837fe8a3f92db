"""Files of JSON lines that are on disk when a function returns, and that survive a crash in the middle of a line."""

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path

from genre.parts import Json


def begin_file(path: Path, first: Mapping[str, Json]) -> int | None:
    """Make a file with its first line, locked as by `lock_file`; it has the whole line or does not exist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.touch()
    append_line(draft, first)
    lock = lock_file(draft)  # before anybody can see it
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return lock


def append_line(path: Path, value: Mapping[str, Json]) -> None:
    """Add a line. It begins on a line of its own even after one that was cut short."""
    with path.open("r+b") as stream:
        stream.seek(0, os.SEEK_END)
        stream.write((b"\n" if stream.tell() else b"") + json.dumps(value).encode() + b"\n")
        stream.flush()
        os.fsync(stream.fileno())


def lock_file(path: Path) -> int | None:
    """Lock it until the descriptor is closed or this process ends; None while another process has it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            return None
        raise
    return descriptor


def read_lines(path: Path) -> list[dict[str, Json]]:
    """The objects in the file; a line that is none is left out."""
    return [value for line in path.read_bytes().splitlines() if (value := _parsed(line)) is not None]


def _parsed(line: bytes) -> dict[str, Json] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
