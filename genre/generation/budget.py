"""Money: what a call may cost at most, what it did cost, and a budget that is never exceeded."""

import asyncio
import math
import re
from collections.abc import Callable
from typing import Final

import attrs

from genre.errors import RunError, UsageError
from genre.parts import Completion, Price, Prompt, canonical_json

_AMOUNT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(usd|\$)?", re.IGNORECASE)
_OVERHEAD: Final = 64
"""Tokens that a chat's own markup may add to each message."""


def parse_budget(text: str) -> float:
    """`"25usd"`, `"25"` or `"0.5 USD"` as US dollars.

    Raises:
        UsageError: it is something else.
    """
    found = _AMOUNT.fullmatch(text.strip().removeprefix("$"))
    if found is None:
        raise UsageError(f"{text!r} is no amount of money", where="--budget", remedy="write 25usd")
    return float(found[1])


def most_tokens(prompt: Prompt, canonical: Callable[[object], str] = canonical_json) -> tuple[int, int]:
    """The most tokens that a prompt can have, and its answer: no token is shorter than a byte.

    Args:
        canonical: how its schema is written; for one that remembers what it wrote.
    """
    size = sum(len(message.content.encode("utf-8", "replace")) + _OVERHEAD for message in prompt.messages)
    if prompt.schema is not None:
        size += len(canonical(prompt.schema).encode("utf-8", "replace"))
    return size, prompt.sampling.max_tokens


def worst_case(prompt: Prompt, price: Price) -> float:
    """The most that a call can cost, in US dollars."""
    return price.of(*most_tokens(prompt))


def actual_cost(completion: Completion, price: Price | None) -> float | None:
    """What a call cost, in US dollars; None when the price or the tokens are not known."""
    usage = completion.usage
    if price is not None and price.prompt == price.completion == 0:
        return 0.0
    if price is None or usage.prompt_tokens is None or usage.completion_tokens is None:
        return None
    if min(usage.prompt_tokens, usage.completion_tokens) < 0:  # no count of tokens: nothing may lower what is spent
        return None
    return price.of(usage.prompt_tokens, usage.completion_tokens)


@attrs.define(eq=False)
class Budget:
    """A ledger of one run. Money is reserved at the worst case before a call and settled after it.

    Attributes:
        limit: US dollars; infinite without a budget.
        spent: what is known, or must be assumed, to be spent.
        reserved: the worst case of the calls in flight.
    """

    limit: float = math.inf
    spent: float = 0.0
    reserved: float = 0.0
    _holders: int = attrs.field(default=0, init=False)  # calls in flight for which something is set aside
    _settled: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)

    @property
    def is_limited(self) -> bool:
        """Whether there is a budget at all."""
        return math.isfinite(self.limit)

    async def reserve(self, amount: float) -> None:
        """Set money aside, if need be after calls in flight have turned out cheaper than their worst case.

        Raises:
            RunError: it would exceed the budget, and no call in flight could change that.
        """
        while self.spent + self.reserved + amount > self.limit:
            if not self._holders:
                raise RunError(
                    f"the budget of {self.limit:g} USD does not cover the next call: {self.spent:.4f} USD are spent, "
                    f"and it may cost {amount:.4f} USD",
                    remedy="all answers so far are stored; run again with a --budget for the rest to go on",
                )
            self._settled.clear()
            await self._settled.wait()
        self.reserved += amount
        self._holders += amount > 0.0

    def settle(self, reserved: float, cost: float) -> None:
        """A call is over: what was set aside is replaced by what it cost."""
        self.spent += cost
        self._holders -= reserved > 0.0
        # With nobody in flight, what is left of sums and differences of floats is no money.
        self.reserved = max(0.0, self.reserved - reserved) if self._holders else 0.0
        self._settled.set()
