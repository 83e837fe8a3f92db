"""A finding: one kind of oddity in one split, counted, with the first place where it stands."""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, TypeAlias

import attrs

Level: TypeAlias = Literal["error", "warning", "note"]
"""`error`: training on it fails, or learns from what is not so. `warning`: probably not meant. `note`: good to know."""

LEVELS: Final[tuple[Level, ...]] = ("error", "warning", "note")


@attrs.frozen
class Kind:
    """A kind of oddity.

    Attributes:
        name: words joined by hyphens, for programs.
        level: how bad it is.
        says: what is counted.
        remedy: what to do about it.
    """

    name: str
    level: Level
    says: str
    remedy: str = ""


@attrs.frozen
class Finding:
    """What was found of one kind.

    Attributes:
        kind: what it is.
        count: how many there are.
        split: where; empty for what concerns the whole set.
        where: the first file and line.
        example: the first value, as a Python literal: what files say is not fit for a terminal as it stands.
    """

    kind: Kind
    count: int
    split: str = ""
    where: str = ""
    example: str = ""

    def as_json(self) -> dict[str, object]:
        """The row that `genre data check --json` prints."""
        rest = {name: getattr(self, name) for name in ("split", "count", "where", "example")}
        return {**attrs.asdict(self.kind), **rest}


class Tally:
    """Counts findings over blocks of rows; the first place of each is kept."""

    def __init__(self) -> None:
        self._found: dict[tuple[Kind, str], Finding] = {}

    def add(self, kind: Kind, count: int, *, split: str = "", where: str = "", example: str = "") -> None:
        """Count some more of a kind."""
        if count:
            first = self._found.get((kind, split), Finding(kind, 0, split, where, example))
            self._found[kind, split] = attrs.evolve(first, count=first.count + count)

    def has(self, kind: Kind, split: str) -> bool:
        """Whether a place and an example are known already."""
        return (kind, split) in self._found

    @property
    def findings(self) -> list[Finding]:
        """The worst first, and as they were found within a level."""
        return ordered(self._found.values())


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """The worst first; the order within a level stays."""
    rank: Mapping[Level, int] = {level: place for place, level in enumerate(LEVELS)}
    return sorted(findings, key=lambda finding: rank[finding.kind.level])
