"""Taking known files out of an archive that is not trusted.

The names in the archive choose among the names that are asked for, and never become part of a path.
"""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final

from genre.errors import RunError
from genre.parts import Archive
from genre.staging import staged_folder

_BLOCK: Final = 2**20

METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Kinds of compression that archives have; others take memory that the archive decides on."""

DAMAGED: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    LookupError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
)
"""What zipfile raises, as it is or by accident, where an archive is not as it should be."""


def unpack(path: Path, archive: Archive, out: Path) -> None:
    """Write the archive's files into `out/FOLDER`, all or nothing.

    Raises:
        RunError: it is no zip or a damaged one, a file is missing or stands twice, a name leads out of the archive, or
            more comes out of it than it may hold.
    """
    with (
        staged_folder(out / archive.folder, "data set", existing="refuse", shared=False) as folder,
        _opened(path) as opened,
    ):
        entries = _entries(path, opened, archive)
        if (size := sum(entry.file_size for entry in entries.values())) > archive.most_bytes:
            raise _refused(path, f"it unpacks to {size:,} bytes, and at most {archive.most_bytes:,} are expected")
        for name, entry in entries.items():
            with (folder / name).open("wb") as target:
                for block in _blocks(path, opened, entry):
                    target.write(block)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        try:
            opened = zipfile.ZipFile(path)
        except OSError as error:
            raise _refused(path, f"it cannot be read: {error}") from error
        with opened:
            yield opened
    except DAMAGED as error:
        raise _refused(path, f"it is no zip archive, or a damaged one: {error}") from error


def _entries(path: Path, opened: zipfile.ZipFile, archive: Archive) -> dict[str, zipfile.ZipInfo]:
    """The entries of the files that are asked for, by their names."""
    found: dict[str, zipfile.ZipInfo] = {}
    for entry in opened.infolist():
        place = PurePosixPath(entry.filename.replace("\\", "/"))
        if place.is_absolute() or ".." in place.parts or ":" in entry.filename:
            raise _refused(path, f"the entry {entry.filename!r} leads out of the archive")
        if (
            entry.filename.endswith("/")
            or place.name not in {*archive.files, *archive.further}
            or "__MACOSX" in place.parts
        ):
            continue
        if place.name in found:
            raise _refused(path, f"it has several files {place.name}")
        if entry.flag_bits & 1 or entry.compress_type not in METHODS:
            raise _refused(path, f"the entry {entry.filename!r} is encrypted, or neither stored nor deflated")
        found[place.name] = entry
    if missing := [name for name in archive.files if name not in found]:
        raise _refused(path, f"it has no {missing[0]}")
    return found


def _blocks(path: Path, opened: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """What is in an entry: no more than its stated size, and its checksum is compared at the end."""
    try:
        with opened.open(entry) as source:
            while block := source.read(_BLOCK):
                yield block
    except OSError as error:  # an entry may claim to lie outside of the file
        raise _refused(path, f"it cannot be read: {error}") from error


def _refused(path: Path, reason: str) -> RunError:
    return RunError(f"the archive is not what it should be: {reason}", where=path, remedy="fetch it from elsewhere")
