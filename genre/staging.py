"""Files and folders that are written whole or not at all: beside their place, which they take at the end."""

import errno
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from genre.errors import GenreError, RunError, UsageError

_STAGED: Final = re.compile(r"\.(.+?)(?:\.[0-9a-f]{32})?\.partial")
_ITS_NAME: Final = frozenset(
    {
        errno.EACCES,
        errno.EEXIST,
        errno.EISDIR,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EPERM,
        errno.EROFS,
    }
)
"""Errors that another name mends; after others the disk is full or gone."""
_NO_SYNC: Final = frozenset({errno.EACCES, errno.EINVAL, errno.ENOTSUP, errno.EPERM})
"""What some file systems say of a folder that is to be on disk, and Windows of any."""


class WriteFailed(RunError):
    """The disk is full or gone."""


@contextmanager
def staged_file(path: Path, what: str, *, shared: bool = True) -> Iterator[Path]:
    """A file to write to, which takes the place of `path`, safely on disk, when the block ends without an error.

    Its folder is made if it is not there. What a link points to is replaced, and the link stays.

    Args:
        what: what messages call it, such as `report`.
        shared: several processes may write it at once. Otherwise what a killed one left behind is written over.

    Raises:
        WriteFailed: it cannot be written; so is taken any `OSError` of the block.
    """
    place = Path(os.path.realpath(path))
    staging = _beside(place, shared=shared)
    with writing(path, what):
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield staging
            _sync_file(staging)
            staging.replace(place)
            _sync_folder(place.parent)
        finally:
            staging.unlink(missing_ok=True)


@contextmanager
def writing(path: Path, what: str) -> Iterator[None]:
    """What is written in the block goes to a place that was there before.

    Args:
        what: what messages call it, such as `quarantine`.

    Raises:
        WriteFailed: for an `OSError` of the block.
    """
    try:
        yield
    except OSError as error:
        said = f"the {what} cannot be written: {error}"
        raise WriteFailed(said, where=path, remedy="make room, or name another place") from error


@contextmanager
def staged_folder(
    folder: Path, what: str, *, existing: Literal["replace", "keep", "refuse"], shared: bool = True
) -> Iterator[Path]:
    """A folder to write into, which becomes `folder` when the block ends without an error.

    Where it replaces one, its files are safely on disk before. Replacing takes two steps: of a process that is killed
    between them both folders are left beside the place, as `.NAME.*.partial` and `.NAME.*.partial.old`.

    Args:
        what: what messages call it, such as `model`.
        existing: what becomes of a folder that is there and not empty: `replace` it; `keep` it, because whoever made it
            wrote the same; or `refuse` to touch it.
        shared: as for `staged_file`.

    Raises:
        UsageError: nothing can be made there.
        WriteFailed: it cannot be written, or not take its place; so is taken any `OSError` of the block.
    """
    staging = _beside(folder, shared=shared)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if not shared:
            shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
    except OSError as error:
        raise _refusal(error, "the folder cannot be made", folder) from error
    try:
        with writing(folder, what):
            yield staging
            if existing == "replace":
                _sync_files(staging)
            if existing == "replace" and folder.exists():
                _exchange(staging, folder)
            else:
                _take_place(staging, folder, keep=existing == "keep")
            _sync_folder(folder.parent)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def check_place(path: Path, what: str) -> None:
    """Whether a file may be written here; to be asked before work that would be lost. Nothing is left there.

    Args:
        what: what messages call it, such as `report`.

    Raises:
        UsageError: it may not: a folder, a device or the like is in the way, or nothing can be made there.
        WriteFailed: the disk is full or gone.
    """
    place = Path(os.path.realpath(path))
    try:
        if place.exists() and not place.is_file():
            raise FileExistsError(errno.EEXIST, "something that is no file is in the way")
        there = next(parent for parent in place.parents if parent.exists())
        probe = _beside(there / place.name, shared=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise _refusal(error, f"the {what} cannot be written", path) from error


def staged_for(name: str) -> str | None:
    """The name that a file or folder of this name was to take when whoever wrote it was killed; None for others."""
    match = _STAGED.fullmatch(name)
    return match and match[1]


def _beside(path: Path, *, shared: bool) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial" if shared else f".{path.name}.partial")


def _take_place(staging: Path, folder: Path, *, keep: bool) -> None:
    try:
        staging.rename(folder)
    except OSError:
        if not (keep and folder.is_dir()):
            raise


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


def _refusal(error: OSError, said: str, place: Path) -> GenreError:
    if error.errno in _ITS_NAME:
        return UsageError(f"{said}: {error.strerror}", where=place, remedy="name another place")
    return WriteFailed(f"{said}: {error.strerror}", where=place, remedy="make room, or name another place")


def _sync_file(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _sync_files(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            _sync_file(path)


def _sync_folder(folder: Path) -> None:
    """Wait until what a folder lists is on disk."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
