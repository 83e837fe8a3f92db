"""Sums of money of which some amounts are not known, and how they read: an unknown cost is never 0."""

from collections.abc import Iterable
from typing import Final

import attrs


@attrs.frozen
class Cost:
    """A sum of US dollars.

    Attributes:
        usd: the sum of what is known; None when nothing is.
        unknown: how many amounts are not known, so that the sum is a lower bound.
    """

    usd: float | None
    unknown: int = 0

    @classmethod
    def sum(cls, costs: Iterable["Cost"]) -> "Cost":
        """All of them together."""
        total = CostSum()
        for each in costs:
            total.add_cost(each)
        return total.result

    def times(self, factor: float) -> "Cost":
        """So many times as much; what is unknown stays so."""
        return Cost(None if self.usd is None else self.usd * factor, self.unknown)


@attrs.define(eq=False)
class CostSum:
    """Adds amounts up, known and unknown ones."""

    _usd: float = 0.0
    _known: int = 0
    _unknown: int = 0

    def add(self, usd: float | None) -> None:
        """One amount; None where it is not known."""
        if usd is None:
            self._unknown += 1
        else:
            self._known += 1
            self._usd += usd

    def add_cost(self, cost: Cost) -> None:
        """A sum of amounts. One of nothing leaves unknown what is unknown."""
        self._known += bool(cost.usd)
        self._usd += cost.usd or 0.0
        self._unknown += cost.unknown

    @property
    def result(self) -> Cost:
        """The sum so far; of nothing it is 0."""
        return Cost(None if self._unknown and not self._known else self._usd, self._unknown)


NOTHING: Final = Cost(0.0)


def together(one: float | None, other: float | None) -> float | None:
    """Two amounts; not known where one of them is not."""
    return None if one is None or other is None else one + other


def money(cost: Cost | None) -> str:
    """US dollars; what is not known reads so, and a sum of which a part is not known is a lower bound."""
    if cost is None:
        return "-"
    if cost.usd is None:
        return "unknown"
    text = f"${cost.usd:,.2f}" if cost.usd >= 1 or cost.usd == 0 else f"${cost.usd:.4f}"
    if text == "$0.0000":
        text = "< $0.0001"
    return f"at least {text}" if cost.unknown else text
