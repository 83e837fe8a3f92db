"""Downloading a set: archives fetched or found, checked, unpacked, and their checksums recorded."""

import asyncio
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import attrs

from genre.downloads.checksums import record, recorded, sha256_of
from genre.downloads.fetching import MirrorFailed, OnBytes, Patience, fetch, is_address, public
from genre.downloads.partial import Partial
from genre.downloads.unpacking import unpack
from genre.errors import RunError, UsageError
from genre.parts import Archive, Download
from genre.staging import WriteFailed, staged_folder


@attrs.frozen
class Fetched:
    """What became of an archive.

    Attributes:
        archive: its name.
        folder: where its files are.
        came: `"there"` if they were there already; `"fetched"`, `"archive"` or `"folder"` by where they are from.
        checksum: SHA-256 of the archive; empty without one.
        first: whether the checksum was recorded now, and nothing was there to compare it with.
    """

    archive: str
    folder: Path
    came: Literal["there", "fetched", "archive", "folder"]
    checksum: str = ""
    first: bool = False


def _silent(_name: str, _done: int, _total: int | None) -> None:
    """Tell nobody."""


def download(
    what: Download,
    out: Path,
    *,
    accept_license: bool,
    mirrors: Sequence[str] = (),
    source: Path | None = None,
    patience: Patience | None = None,
    on_bytes: OnBytes = _silent,
    on_done: Callable[[Fetched], None] | None = None,
) -> list[Fetched]:
    """Put the files of a set into `out`, a folder for each archive. What is there already stays.

    Args:
        accept_license: whether the licence was read and accepted; needed for fetching.
        mirrors: addresses instead of the set's own.
        source: a folder that has the archives, or the folders that came out of them; nothing is fetched then.
        patience: how long to wait for servers.
        on_bytes: told of what comes in.
        on_done: told of each archive.

    Raises:
        UsageError: the licence was not accepted, a mirror is no address, `out` cannot be made, or `source` lacks
            something.
        RunError: no mirror has an archive as it should be, or one is not what it was. Nothing of it stays.
        KeyboardInterrupt: what was fetched stays as `NAME.part`, and the same call goes on from there.
    """
    if source is None and not accept_license:
        raise UsageError(
            f"{what.name} is under a licence: {what.licence}",
            where=what.licence_url,
            remedy="read it, and say --accept-license if you accept it",
        )
    for url in mirrors:
        if not is_address(url):
            raise UsageError(f"the mirror {url!r} is no address", remedy="write it like https://example.org/folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the folder cannot be made: {error}", where=out, remedy="name another folder") from error
    recorded(out)  # a file that says something else is told before hours of fetching
    done: list[Fetched] = []
    for archive in what.archives:
        try:
            one = _there(archive, out)
            if one is None and source is not None:
                one = _at_hand(archive, source, out)
            elif one is None:
                one = _fetched(archive, mirrors or what.mirrors, out, patience or Patience(), on_bytes)
        except OSError as error:
            raise RunError(f"{archive.name} cannot be written: {error}", where=out, remedy="make room") from error
        done.append(one)
        if on_done is not None:
            on_done(one)
    return done


def _there(archive: Archive, out: Path) -> Fetched | None:
    folder = out / archive.folder
    if not folder.exists():
        return None
    if missing := [name for name in archive.files if not (folder / name).is_file()]:
        raise UsageError(f"the folder is there, without {missing[0]}", where=folder, remedy="move it away")
    return Fetched(archive.name, folder, "there")


def _fetched(archive: Archive, mirrors: Sequence[str], out: Path, patience: Patience, on_bytes: OnBytes) -> Fetched:
    """From the first mirror that has the archive as it should be.

    Raises:
        RunError: none has; tells what each of them said.
    """
    partial = Partial.of(out, archive.name)
    reasons: list[str] = []
    for mirror in mirrors:
        url = f"{mirror.rstrip('/')}/{archive.name}"
        try:
            asyncio.run(fetch(url, archive, partial, patience, on_bytes=on_bytes))
            # Not within the event loop, which would keep Ctrl-C to itself until all is unpacked.
            return _used(partial, archive, out)
        except MirrorFailed as reason:
            reasons.append(f"{public(url)}: {reason}")
    raise RunError(
        f"no mirror has {archive.name} as it should be:\n    " + "\n    ".join(reasons),
        remedy="name another with --mirror URL, or fetch the archive by hand and name its folder with --from",
    )


def _used(partial: Partial, archive: Archive, out: Path) -> Fetched:
    try:
        one = _unpacked(partial.path, archive, out, "fetched")
    except WriteFailed:  # that is not the mirror's fault
        raise
    except RunError as error:
        partial.discard()  # what is not as it should be is not gone on from
        raise MirrorFailed(error.message) from error
    partial.discard()
    return one


def _at_hand(archive: Archive, source: Path, out: Path) -> Fetched:
    path = source / archive.name
    return _unpacked(path, archive, out, "archive") if path.is_file() else _copied(archive, source, out)


def _unpacked(path: Path, archive: Archive, out: Path, came: Literal["fetched", "archive"]) -> Fetched:
    """Unpack an archive that is what it was, or that is the first of its name.

    Raises:
        RunError: it is not what it was, or not what it should be.
    """
    checksum, known = sha256_of(path), recorded(out).get(archive.name)
    if known not in (None, checksum):
        raise RunError(
            f"its SHA-256 is {checksum}, and {known} was recorded when it was first used",
            where=path,
            remedy="use the archive that was used before",
        )
    unpack(path, archive, out)
    record(out, archive.name, checksum)
    return Fetched(archive.name, out / archive.folder, came, checksum, first=known is None)


def _copied(archive: Archive, source: Path, out: Path) -> Fetched:
    """Files that were unpacked before."""
    place = source / archive.folder
    if missing := [name for name in archive.files if not (place / name).is_file()]:
        raise UsageError(
            f"there is neither {archive.name} nor {archive.folder}/{missing[0]}",
            where=source,
            remedy="name the folder that has the archives, or the folders that came out of them",
        )
    with staged_folder(out / archive.folder, "data set", existing="refuse", shared=False) as folder:
        for name in (*archive.files, *archive.further):
            if (place / name).is_file():
                shutil.copyfile(place / name, folder / name)
    return Fetched(archive.name, out / archive.folder, "folder")
