"""What can be downloaded for a data set reader: archives, their mirrors, and the licence that goes with them."""

import re
from typing import Final

import attrs

from genre.parts.records import Part, must_be_import_string, must_be_name

_FILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def _must_be_file_name(_instance: object, attribute: "attrs.Attribute[str]", value: str) -> None:
    if not _FILE_NAME.fullmatch(value):
        raise ValueError(f"{attribute.name} {value!r} must be a file name of letters, digits, dots, - and _")


_must_be_file_names: Final = attrs.validators.deep_iterable(_must_be_file_name)


def _must_be_https(_instance: object, attribute: "attrs.Attribute[tuple[str, ...]]", value: tuple[str, ...]) -> None:
    for url in value:
        if not url.startswith("https://"):
            raise ValueError(f"{attribute.name} {url!r} must start with https://: what is fetched first is trusted")


@attrs.frozen(kw_only=True)
class Archive:
    """A zip archive of files.

    Attributes:
        name: its file name, by which each mirror has it.
        folder: the folder that its files are put into.
        files: names of the files that must be in it, in whatever folder.
        further: names of files that are kept if they are in it; all others are not unpacked.
        most_bytes: more than this is neither fetched nor unpacked.
    """

    name: str = attrs.field(validator=_must_be_file_name)
    folder: str = attrs.field(validator=_must_be_file_name)
    files: tuple[str, ...] = attrs.field(validator=[attrs.validators.min_len(1), _must_be_file_names])
    further: tuple[str, ...] = attrs.field(default=(), validator=_must_be_file_names)
    most_bytes: int = 16 * 2**30


@attrs.frozen(kw_only=True)
class Download:
    """A set that can be downloaded.

    Attributes:
        name: lower-case words joined by hyphens; unique among all downloads.
        summary: one line about it.
        licence: what its licence is called, and what it allows.
        licence_url: where it is read.
        mirrors: addresses that have the archives by their names, tried one after another.
        archives: what is fetched.
    """

    name: str = attrs.field(validator=must_be_name)
    summary: str
    licence: str
    licence_url: str
    mirrors: tuple[str, ...] = attrs.field(validator=_must_be_https)
    archives: tuple[Archive, ...] = attrs.field(validator=attrs.validators.min_len(1))


@attrs.frozen(kw_only=True)
class DatasetPart(Part):
    """A data set reader for which something can be downloaded.

    Attributes:
        downloads: import string of a tuple of `Download`.
    """

    downloads: str = attrs.field(validator=must_be_import_string)
