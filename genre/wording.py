"""Words around what is counted or listed, in sentences for people."""

from collections.abc import Sequence


def listed(names: Sequence[str], most: int = 5) -> str:
    """Names in a sentence; of many, how many more there are."""
    shown = [*names[:most], f"{len(names) - most} more"] if len(names) > most else list(names)
    return " and ".join(([", ".join(shown[:-1])] if len(shown) > 1 else []) + shown[-1:])


def counted(count: int, noun: str) -> str:
    """A count with its noun, whose plural ends in s: `1 click`, `1,200 clicks`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
