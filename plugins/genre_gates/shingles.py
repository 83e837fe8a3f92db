"""Texts as sets of runs, and how their signatures are cut into bands."""

from typing import Final, Literal, TypeAlias

Unit: TypeAlias = Literal["characters", "words"]

HASHES: Final = 128
"""Hash functions of a signature."""
FOUND: Final = 0.99
"""Share of the pairs at the threshold that must meet in a band; of more similar pairs more do."""


def shingles(text: str, unit: Unit, size: int) -> frozenset[str]:
    """All runs of `size` characters or words; of a shorter text the text itself."""
    if unit == "characters":
        return frozenset(text[start : start + size] for start in range(max(1, len(text) - size + 1)))
    parts = text.split(" ")
    return frozenset(" ".join(parts[start : start + size]) for start in range(max(1, len(parts) - size + 1)))


def bands_and_rows(threshold: float) -> tuple[int, int]:
    """The longest bands in which a share `FOUND` of the pairs at the threshold still meets, and no more than needed.

    Two texts of similarity s meet in one of b bands of r hashes with probability 1 - (1 - s^r)^b (Leskovec, Rajaraman
    and Ullman, *Mining of Massive Datasets*, section 3.4).
    """
    good = [
        (bands, rows)
        for rows in range(1, HASHES // 2 + 1)
        for bands in range(2, HASHES // rows + 1)
        if 1 - (1 - threshold**rows) ** bands >= FOUND
    ]
    rows = max(rows for _, rows in good)
    return min(pair for pair in good if pair[1] == rows)
