"""Checking a submission as MIND's evaluation would read it, with the file and line of what is wrong."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import attrs

from genre.dataset import Dataset
from genre.downloads.unpacking import DAMAGED, METHODS
from genre.errors import UsageError
from genre.experiments.submission import ENTRY, impressions_of

MOST_PROBLEMS: Final = 100
"""Reading stops after so many: a file that is wrong throughout need not be told line by line."""

_SPARE_BYTES: Final = 2**20
_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]*")


@attrs.frozen
class Problem:
    """What is wrong with a submission.

    Attributes:
        where: the archive, or the file in it and the line.
        message: what is wrong; values stand in it as Python literals.
    """

    where: str
    message: str


def check_submission(path: Path, dataset: Dataset, split: str, *, most: int = MOST_PROBLEMS) -> list[Problem]:
    """What is wrong with a submission for a split; nothing if it is empty.

    No more is unpacked than a right submission could have, and nothing is written.

    Args:
        most: so many problems are told at most.

    Raises:
        UsageError: there is no such file or split, or the split's impressions cannot be told apart by their ids.
    """
    if not path.is_file():
        raise UsageError("there is no such file", where=path, remedy="name a prediction.zip")
    rows = impressions_of(dataset, split)
    wanted = _Wanted(dict(zip(rows["id"], enumerate(rows["candidates"]), strict=True)))
    found: list[Problem] = []
    for problem in _problems(path, wanted):
        found.append(problem)
        if len(found) == most:
            break
    return found


@attrs.frozen(eq=False)
class _Wanted:
    """The impressions of a split.

    Attributes:
        impressions: number and count of candidates of each, by id, in their order.
    """

    impressions: dict[str, tuple[int, int]]

    @property
    def longest_line(self) -> int:
        """More bytes than any right line has."""
        return 64 + max(_line_bytes(name, count) for name, (_, count) in self.impressions.items())

    @property
    def most_bytes(self) -> int:
        """More bytes than a right file has."""
        return _SPARE_BYTES + sum(_line_bytes(name, count) for name, (_, count) in self.impressions.items())


def _line_bytes(name: str, count: int) -> int:
    return len(name.encode()) + 5 + count * (len(str(count)) + 1)


def _problems(path: Path, wanted: _Wanted) -> Iterator[Problem]:
    if path.stat().st_size > wanted.most_bytes:
        yield Problem(str(path), f"the archive has more than {wanted.most_bytes:,} bytes, which no right one has")
        return
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if entry.filename == ENTRY]
            yield from _entry_problems(path, archive.infolist())
            if len(entries) != 1:
                return
            refusal = _refusal(entries[0], wanted.most_bytes)
            if refusal:
                yield Problem(f"{path}/{ENTRY}", refusal)
                return
            with archive.open(entries[0]) as stream:
                yield from _line_problems(f"{path}/{ENTRY}", stream, wanted)
    except (OSError, *DAMAGED) as error:
        yield Problem(str(path), f"not a zip archive, or a damaged one: {error}")


def _entry_problems(path: Path, entries: list[zipfile.ZipInfo]) -> Iterator[Problem]:
    names = [entry.filename for entry in entries]
    if ENTRY not in names:
        inside = next((name for name in names if name.endswith(f"/{ENTRY}")), None)
        advice = f": it must not lie in a folder, as {inside!r} does" if inside else ""
        yield Problem(str(path), f"the archive has no {ENTRY}{advice}")
    for name in names:
        if name != ENTRY:
            yield Problem(str(path), f"the archive has the entry {name!r}, and {ENTRY} should be its only one")
    if names.count(ENTRY) > 1:
        yield Problem(str(path), f"the archive has {names.count(ENTRY)} entries of the name {ENTRY}")


def _refusal(entry: zipfile.ZipInfo, most_bytes: int) -> str:
    """Why an entry is not read."""
    if entry.flag_bits & 1:
        return "the entry is encrypted"
    if entry.compress_type not in METHODS:
        return "the entry is neither stored nor deflated"
    if entry.file_size > most_bytes:
        return f"unpacks to {entry.file_size:,} bytes, and a right file has fewer than {most_bytes:,}"
    return ""


def _line_problems(where: str, stream: IO[bytes], wanted: _Wanted) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    latest, number, longest = -1, 0, wanted.longest_line
    while line := stream.readline(longest + 1):
        number += 1
        place = f"{where}:{number}"
        if len(line) > longest:
            yield Problem(place, f"the line has more than {longest} bytes; the rest is not read")
            return
        try:
            name, ranks = _parsed(line)
        except _NotALine as reason:
            yield Problem(place, str(reason))
            continue
        if name not in wanted.impressions:
            yield Problem(place, f"there is no impression {name!r} in the split")
            continue
        index, count = wanted.impressions[name]
        if name in seen:
            yield Problem(place, f"the impression {name!r} stands in line {seen[name]} already")
        elif index < latest:
            yield Problem(place, f"the impression {name!r} is out of order, and is compared line by line")
        latest = max(latest, index)
        seen.setdefault(name, number)
        if mistake := _rank_mistake(ranks, count):
            yield Problem(place, f"the impression {name!r} {mistake}")
    missing = [name for name in wanted.impressions if name not in seen]
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        line_of = wanted.impressions[missing[0]][0] + 1
        yield Problem(f"{where}:{line_of}", f"the impression {missing[0]!r} is missing{more}")


class _NotALine(ValueError):
    """Why a line is not an impression with ranks."""


def _parsed(line: bytes) -> tuple[str, list[str]]:
    """The impression and its ranks.

    Raises:
        _NotALine: it does not look like that.
    """
    try:
        text = line.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise _NotALine(f"not valid UTF-8: the byte 0x{line[error.start]:02x}") from error
    if not text.strip():
        raise _NotALine("the line is empty")
    name, blank, said = text.partition(" ")
    if not (blank and said.startswith("[")):
        raise _NotALine(f"no ranks in brackets after the impression and a blank: {_cut(text)!r}")
    inner, bracket, rest = said[1:].partition("]")
    if not bracket:
        raise _NotALine(f"the bracket is not closed: {_cut(text)!r}")
    if rest:
        raise _NotALine(f"{_cut(rest)!r} stands after the ranks")
    if any(character.isspace() for character in inner):
        raise _NotALine("blanks among the ranks, at which the evaluation cuts the line")
    return name, inner.split(",") if inner else []


def _rank_mistake(ranks: list[str], count: int) -> str:
    """What is wrong with the ranks of an impression with so many candidates."""
    if odd := next((rank for rank in ranks if not _INTEGER.fullmatch(rank)), None):
        return f"has the rank {_cut(odd)!r}, which is no integer"
    if len(ranks) != count:
        return f"has {len(ranks)} ranks, and {count} candidates"
    numbers = [int(rank) if len(rank) <= len(str(count)) else -1 for rank in ranks]
    for rank, number in zip(ranks, numbers, strict=True):
        if not 1 <= number <= count:
            return f"has the rank {_cut(rank)}, which is not from 1 to {count}"
    if len(set(numbers)) < count:
        twice = next(number for number in numbers if numbers.count(number) > 1)
        return f"has the rank {twice} twice"
    return ""


def _cut(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}..."
