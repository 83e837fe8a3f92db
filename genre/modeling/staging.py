"""Folders that are written whole or not at all."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from genre.errors import UsageError


@contextmanager
def staged(folder: Path, *, replace: bool) -> Iterator[Path]:
    """A folder to write into, which becomes `folder` when the block ends without an error.

    Args:
        replace: a folder that is there gives way; otherwise it stays, because whoever made it wrote the same.

    Raises:
        UsageError: nothing can be made there.
    """
    staging = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging.mkdir()
    except OSError as error:
        said = f"the folder cannot be made: {error.strerror}"
        raise UsageError(said, where=folder, remedy="name another folder") from error
    try:
        yield staging
        if replace and folder.exists():
            _exchange(staging, folder)
            return
        try:
            staging.rename(folder)
        except OSError:
            if replace or not folder.is_dir():
                raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _exchange(staging: Path, folder: Path) -> None:
    """Put `staging` in the place of `folder`. Whatever fails, one of the two is there afterwards."""
    retired = folder.with_name(f"{staging.name}.old")
    folder.rename(retired)
    try:
        staging.rename(folder)
    except BaseException:
        retired.rename(folder)
        raise
    shutil.rmtree(retired, ignore_errors=True)
