"""Tables and words as Markdown, and the error of what is not documented."""

import inspect
import re
from collections.abc import Iterable, Sequence

from genre.option_docs import DescribedOption, described_options


class Undocumented(Exception):
    """Something that users see has no documentation in the code."""


def documented(text: str | None, what: str) -> str:
    """The text, cleaned; it has to be there.

    Raises:
        Undocumented: it is not.
    """
    if not (text or "").strip():
        raise Undocumented(f"{what} has no documentation; write it into the code")
    return inspect.cleandoc(text or "")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; empty without rows."""
    lines = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join([f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *lines]) if lines else ""


def code(text: str) -> str:
    """Text between back-ticks."""
    return f"`{text}`"


def prose(text: str) -> str:
    """A docstring as Markdown: what would be markup outside of back-ticks is text."""
    pieces = re.split(r"(``[^`]*``|`[^`]*`)", text)
    return "".join(piece if piece.startswith("`") else re.sub(r"([*<$\[\]])", r"\\\1", piece) for piece in pieces)


def options_table(cls: type, what: str, *, skip: Iterable[str] = ()) -> str:
    """The options of a class, and of the tables that it holds.

    Raises:
        Undocumented: an option has no entry under `Attributes:`.
    """
    return options_rows(described_options(cls), f"{what} ({cls.__module__}.{cls.__qualname__})", skip=skip)


def options_rows(options: Iterable[DescribedOption], what: str, *, skip: Iterable[str] = ()) -> str:
    """The same for options that were described already."""
    shown = [option for option in options if option.name not in set(skip)]
    rows = [
        (
            code(option.name),
            _takes(option),
            "required" if option.default is None else _default(option.default),
            prose(documented(option.meaning, f"the option {option.name!r} of {what}")),
        )
        for option in shown
    ]
    return table(("option", "takes", "default", "what it is"), rows)


def _takes(option: DescribedOption) -> str:
    return code(option.takes) if '"' in option.takes else option.takes


def _default(text: str) -> str:
    if text == "none" or text.startswith("genre's own"):
        return text
    return code(text) if len(text) <= 120 else f"{text.count(',') + 1} values, see the code"
