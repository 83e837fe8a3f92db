"""Packages that only some gates need: they come with the extra `gates`, and are imported when such a gate is made."""

import importlib
from types import ModuleType

from genre.errors import UsageError


def imported(package: str, gate: str) -> ModuleType:
    """Such a package.

    Raises:
        UsageError: it is not installed. Names the gate and what to install.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise UsageError(
            f"the gate {gate!r} needs the package {package}, which is not installed",
            where=f"gates.{gate}",
            remedy="pip install 'genre-rec[gates]'",
        ) from error
