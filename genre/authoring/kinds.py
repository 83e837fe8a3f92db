"""What differs by kind and is not a text: the hook, the record, and what `templates/kinds.toml` says."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast, get_args

import attrs

from genre.options import structure
from genre.parts import Kind
from genre.registry import PART_HOOKS
from genre.settings import read_toml

TEMPLATES: Final = Path(__file__).with_name("templates")


@attrs.frozen
class PackageKind:
    """A kind of package.

    Attributes:
        summary: what the part does that the package has before anything is changed.
        requires: what its code imports beside genre, as pyproject.toml names it.
        target: what is called, in place of a class named after the part.
        with_options: whether the part has options.
        also: further kinds of which the package has a part of the same name, since the part needs it or it needs one.
        laws: the kinds whose laws its tests check; by default its own and those of `also`.
    """

    summary: str
    requires: tuple[str, ...] = ()
    target: str | None = None
    with_options: bool = True
    also: tuple[str, ...] = ()
    laws: tuple[str, ...] = ()


def package_kinds() -> Mapping[Kind, PackageKind]:
    """Every kind of part, each with its kind of package."""
    path = TEMPLATES / "kinds.toml"
    said = read_toml(path)
    return {
        kind: structure(cast(Mapping[str, object], said[kind]), PackageKind, f"{path}, {kind}")
        for kind in get_args(Kind)
    }


def hook_of(kind: Kind) -> tuple[str, str]:
    """The hook that yields parts of a kind, and the name of its record; one hook is for encoders of all sorts."""
    found = next((hook for hook, (yielded, _) in PART_HOOKS.items() if yielded == kind), "genre_encoders")
    return found, PART_HOOKS[found][1].__name__
