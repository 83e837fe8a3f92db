"""Packages that only some parts need: they come with an extra, and are imported when such a part is made."""

import importlib
from types import ModuleType

from genre.errors import UsageError


def import_extra(package: str, *, extra: str, part: str, where: str | None = None) -> ModuleType:
    """Such a package.

    Args:
        extra: the extra of `genre-rec` that it comes with.
        part: who needs it, such as `"the gate 'language'"`.
        where: what names the part, for messages.

    Raises:
        UsageError: it is not installed. Names the part and what to install.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise UsageError(
            f"{part} needs the package {package}, which is not installed",
            where=where,
            remedy=f"pip install 'genre-rec[{extra}]'",
        ) from error
