"""Sentences of what is not known until they are written."""

from collections.abc import Sequence


def listed(names: Sequence[str], most: int = 5) -> str:
    """Names in a sentence; of many, how many more there are."""
    shown = [*names[:most], f"{len(names) - most} more"] if len(names) > most else list(names)
    return " and ".join(([", ".join(shown[:-1])] if len(shown) > 1 else []) + shown[-1:])
