"""From a part's name to those of its package, after checks: what a name may be, and that nobody has it."""

import importlib.util
import re
from collections.abc import Collection, Iterable
from importlib import metadata
from typing import Final

import attrs

from genre.errors import UsageError
from genre.parts import NAME_RULE, is_name
from genre.registry import Registry

LONGEST: Final = 30
"""Characters of a name: no line of a package becomes too long by it."""
_PREFIX: Final = "genre-"
_REMEDY: Final = "choose another name"


@attrs.frozen
class PackageNames:
    """Names that follow from a part's.

    Attributes:
        name: of the part, such as `fast-summaries`.
    """

    name: str

    @property
    def distribution(self) -> str:
        """What is installed, and the folder's name: `genre-fast-summaries`."""
        return f"{_PREFIX}{self.name}"

    @property
    def package(self) -> str:
        """What is imported: `genre_fast_summaries`."""
        return self.distribution.replace("-", "_")

    @property
    def stem(self) -> str:
        """What names of classes begin with: `FastSummaries`."""
        return "".join(word.capitalize() for word in self.name.split("-"))


def checked_names(
    registry: Registry, name: str, kinds: Iterable[str], *, reserved_commands: Collection[str] = ()
) -> PackageNames:
    """The names of a new package.

    Args:
        registry: what is installed.
        kinds: of the parts that the package will have, all called `name`.
        reserved_commands: names that no command of a plugin may have.

    Raises:
        UsageError: it is no name, or something that is installed has it.
    """
    _check_form(name)
    names = PackageNames(name)
    for kind in kinds:
        taken = [entry for entry in registry.parts(kind) if entry.part.name == name]
        if taken:
            raise UsageError(f"there is a {kind} {name!r} already, of {taken[0].distribution}", remedy=_REMEDY)
        if kind == "command" and name in reserved_commands:
            raise UsageError(f"the command {name!r} is built in", remedy=_REMEDY)
    if _is_installed(names.distribution):
        raise UsageError(f"a distribution {names.distribution!r} is installed already", remedy=_REMEDY)
    if importlib.util.find_spec(names.package) is not None:
        raise UsageError(f"there is a package {names.package!r} already", remedy=_REMEDY)
    return names


def _check_form(name: str) -> None:
    if name.startswith(_PREFIX):
        raise UsageError(
            f"the name {name!r} begins with {_PREFIX!r}, as the package's will anyway",
            remedy=f"leave it out: {name.removeprefix(_PREFIX)}",
        )
    if not is_name(name) or not re.match("[a-z]", name):
        raise UsageError(
            f"the name {name!r} must be {NAME_RULE}, and begin with a letter",
            remedy="it names the part, the package and its classes",
        )
    if len(name) > LONGEST:
        raise UsageError(f"the name {name!r} is longer than {LONGEST} characters", remedy="choose a shorter one")


def _is_installed(distribution: str) -> bool:
    try:
        metadata.distribution(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True
