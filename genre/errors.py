"""Errors that a user can act on.

A `GenreError` is an answer, not an accident: it says what was wrong, where, and what to do. The command line prints
it without a traceback and exits with 2 (`UsageError`: the call, a file or the configuration is wrong) or 1
(`RunError`: the call was right and the run failed).
"""

import bisect
import difflib
import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

LISTED: Final = 20
"""More valid names than these are counted, not listed."""


class GenreError(Exception):
    """Base of every error that this project raises on purpose.

    Attributes:
        message: what was wrong, with the value.
        where: the file, and the line or key in it, if there is one.
        remedy: what to do about it.
    """

    exit_code = 1

    def __init__(self, message: str, *, where: str | Path | None = None, remedy: str | None = None) -> None:
        super().__init__(message, where, remedy)
        self.message = message
        self.where = None if where is None else str(where)
        self.remedy = remedy

    def __reduce__(self) -> tuple[Callable[[str], "GenreError"], tuple[str]]:
        """Other processes raise it again as it is."""
        return functools.partial(type(self), where=self.where, remedy=self.remedy), (self.message,)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f"\n  -> {self.remedy}" if self.remedy else ""
        return f"{place}{self.message}{advice}"


class UsageError(GenreError):
    """The call, the configuration or an input file is wrong; nothing was run."""

    exit_code = 2


class RunError(GenreError):
    """The call was right, and the run could not be completed."""

    exit_code = 1


class RunVetoed(RunError):
    """A plugin refused a planned run through `genre_run_planned`."""


def nearest(name: str, valid: Iterable[str]) -> str:
    """Advice for a name that does not exist: the nearest valid one if there is one, and all of them if few."""
    names = sorted(set(valid))
    # Comparing is quadratic in the names' length; among many ids only the alphabetical neighbours are looked at.
    place = bisect.bisect_left(names, name)
    neighbours = names if len(names) <= 1_000 else names[max(0, place - 100) : place + 100]
    close = difflib.get_close_matches(name, neighbours, n=1, cutoff=0.5)
    if len(names) > LISTED:
        return f"did you mean {close[0]!r}?" if close else f"there are {len(names)} valid names"
    listing = f"valid: {', '.join(names)}" if names else "there are none"
    return f"did you mean {close[0]!r}? ({listing})" if close else listing
