"""One budget for many processes: the owner of the store keeps the ledger, and workers hold leases of it."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeAlias

import attrs

from genre.generation import Budget

PORTION: Final = 32
"""A worker that needs money for one call is lent as much as so many may cost, while there is plenty."""
LOST_AFTER: Final = 10.0
"""Seconds without a sign of life after which what a worker holds counts as spent."""
_NOTHING: Final = 1e-12
"""US dollars that are left of sums and differences of floats, and are no money."""

Grant: TypeAlias = tuple[float, float, float]
"""Money that is lent (0: there will be none), the budget's limit, and what was spent of it."""
Lease: TypeAlias = Callable[[float, float, float], Awaitable[Grant]]
"""Reports what was spent and gives back what lies idle, and asks for so much."""


@attrs.define(eq=False)
class Ledger:
    """The owner's: what is spent, and who holds how much of the rest.

    Attributes:
        limit: US dollars; infinite without a budget.
        spent: what is known, or must be assumed, to be spent.
    """

    limit: float
    spent: float
    _held: dict[str, float] = attrs.field(factory=dict, init=False)
    _seen: dict[str, float] = attrs.field(factory=dict, init=False)
    _waiting: int = attrs.field(default=0, init=False)
    _changed: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)

    @property
    def is_scarce(self) -> bool:
        """Whether a worker waits for money: the others give back at once what they do not need."""
        return self._waiting > 0

    @property
    def committed(self) -> float:
        """What is spent, and what may be, for all that is known."""
        return self.spent + sum(self._held.values())

    def report(self, worker: str, spent: float, unused: float) -> None:
        """A worker spent so much of what it holds, and gives so much back.

        What was written off (see `LOST_AFTER`) and is reported after all counts twice: too much, never too little.
        """
        self._seen[worker] = time.monotonic()
        self.spent += spent
        left = self._held.get(worker, 0.0) - spent - unused
        self._held[worker] = left if left > _NOTHING else 0.0
        self._changed.set()

    async def lease(self, worker: str, amount: float) -> float:
        """Lend a worker at least `amount`, if need be after others have given some back; 0 when none ever will."""
        while True:
            free = self.limit - self.committed
            if free >= amount:
                lent = max(amount, min(PORTION * amount, free / 2))
                self._held[worker] = self._held.get(worker, 0.0) + lent
                return lent
            self._write_off()
            if not any(self._held.values()):
                return 0.0
            self._waiting += 1
            self._changed.clear()
            try:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), LOST_AFTER / 10)
            finally:
                self._waiting -= 1

    def _write_off(self) -> None:
        """A lost worker may have spent all that it held."""
        silent_since = time.monotonic() - LOST_AFTER
        for worker, held in self._held.items():
            if held and self._seen.get(worker, math.inf) < silent_since:
                self.spent += held
                self._held[worker] = 0.0


@attrs.define(eq=False)
class LeasedBudget(Budget):
    """A worker's: reserves calls from what it holds, and leases more from the owner when that is too little.

    Attributes:
        limit: 0 when there is a budget, infinite when there is none; what may be spent is the owner's matter.
        idle: leased, and not set aside for a call.
    """

    lease: Lease = attrs.field(kw_only=True)
    idle: float = attrs.field(default=0.0, init=False)
    _told: float = attrs.field(default=0.0, init=False)
    _leasing: asyncio.Lock = attrs.field(factory=asyncio.Lock, init=False)

    async def reserve(self, amount: float) -> None:
        """Set money aside, leased if need be.

        Raises:
            RunError: it would exceed the budget, and no call in flight anywhere could change that.
        """
        if not self.is_limited or amount <= 0.0:
            return
        async with self._leasing:
            while self.idle < amount:
                lent, limit, spent = await self.lease(*self.report(), amount)
                if not lent:
                    await Budget(limit=limit, spent=spent).reserve(amount)  # raises: nothing is in flight
                self.idle += lent
            self.idle -= amount

    def settle(self, reserved: float, cost: float) -> None:
        """A call is over: what was set aside is replaced by what it cost."""
        self.spent += cost
        self.idle += reserved - cost

    def report(self, *, keep: bool = False) -> tuple[float, float]:
        """What was spent since the last report, and what lies idle and is given back.

        Args:
            keep: give nothing back.
        """
        spent, self._told = self.spent - self._told, self.spent
        unused = 0.0 if keep else self.idle
        self.idle -= unused
        return spent, unused
