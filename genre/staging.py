"""Files and folders that are written whole or not at all: beside their place, which they take at the end."""

import errno
import os
import re
import shutil
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from genre.errors import RunError, UsageError

_STAGED: Final = re.compile(r"\.(.+?)(?:\.[0-9a-f]{32})?\.partial")


@contextmanager
def staged_file(path: Path, what: str, *, shared: bool = True) -> Iterator[Path]:
    """A file to write to, which takes the place of `path`, safely on disk, when the block ends without an error.

    Args:
        what: what messages call it, such as `report`.
        shared: several processes may write it at once. Otherwise what a killed one left behind is written over.

    Raises:
        UsageError: nothing can be written there, see `check_place`.
        RunError: the disk is full or gone; so is taken any `OSError` of the block.
    """
    check_place(path, what)
    staging = _beside(path, shared=shared)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield staging
        _sync(staging)
        staging.replace(path)
        _sync(path.parent)
    except OSError as error:
        said = f"the {what} cannot be written: {error}"
        raise RunError(said, where=path, remedy="make room, or name another place") from error
    finally:
        staging.unlink(missing_ok=True)


@contextmanager
def staged_folder(folder: Path, *, replace: bool, shared: bool = True) -> Iterator[Path]:
    """A folder to write into, which becomes `folder` when the block ends without an error.

    Args:
        replace: a folder that is there gives way; otherwise it stays, because whoever made it wrote the same.
        shared: as for `staged_file`.

    Raises:
        UsageError: nothing can be made there.
    """
    staging = _beside(folder, shared=shared)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if not shared:
            shutil.rmtree(staging, ignore_errors=True)
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


def check_place(path: Path, what: str) -> None:
    """Whether a file may be written here; to be asked before work that would be lost. Nothing is left there.

    Args:
        what: what messages call it, such as `report`.

    Raises:
        UsageError: it may not.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "a folder is in the way")
        there = next(parent for parent in path.absolute().parents if parent.exists())
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        said = f"the {what} cannot be written: {error.strerror}"
        raise UsageError(said, where=path, remedy="name another place") from error


def staged_for(name: str) -> str | None:
    """The name that a file or folder of this name was to take when whoever wrote it was killed; None for others."""
    match = _STAGED.fullmatch(name)
    return match and match[1]


def _beside(path: Path, *, shared: bool) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial" if shared else f".{path.name}.partial")


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


def _sync(path: Path) -> None:
    """Wait until a file, or what a folder lists, is on disk."""
    if sys.platform == "win32" and path.is_dir():  # Windows opens no folders
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
