"""Packages that only some gates need: they come with the extra `gates`."""

from types import ModuleType

from genre.extras import import_extra


def imported(package: str, gate: str) -> ModuleType:
    """Such a package.

    Raises:
        UsageError: it is not installed. Names the gate and what to install.
    """
    return import_extra(package, extra="gates", part=f"the gate {gate!r}", where=f"gates.{gate}")
