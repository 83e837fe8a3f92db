"""One run writes into a run folder at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from genre.errors import UsageError

_LOCK: Final = ".lock"


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Keep other runs out of a run folder, which is made. The system lets go of it when the process ends, however.

    Raises:
        UsageError: another run writes into it, or it cannot be made.
    """
    from filelock import FileLock, Timeout

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        said = f"the folder cannot be made: {error.strerror}"
        raise UsageError(said, where=folder, remedy="name another folder") from error
    lock = FileLock(folder / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UsageError(
            "another run writes into this folder",
            where=folder,
            remedy="wait for it, end it, or give this one a folder of its own (--out)",
        ) from error
    try:
        yield
    finally:
        lock.release()
