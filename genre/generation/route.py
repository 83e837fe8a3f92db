"""A route: one generator under its limits and a budget; retries are owned here and nowhere else."""

import asyncio
import functools
import math
import random
import time
from collections.abc import Awaitable, Callable
from typing import Final

import attrs

from genre.errors import GenreError, RunError
from genre.generation.budget import Budget, actual_cost, most_tokens, worst_case
from genre.generation.costs import together
from genre.generation.keys import SameAgain
from genre.generation.limits import Limits, Pace
from genre.generation.store import State
from genre.parts import (
    Completion,
    Fatal,
    GenerationError,
    Generator,
    HoldsCalls,
    Price,
    Prompt,
    RateLimited,
    Refused,
    Skipped,
    Transient,
    canonical_json,
)


class RouteDown(Exception):
    """This generator answers nothing any more; another may.

    Attributes:
        cost: US dollars that the prompt may have cost until then; None when it is not known.
    """

    def __init__(self, reason: str, cost: float | None = 0.0) -> None:
        super().__init__(reason)
        self.cost = cost


@attrs.frozen
class Outcome:
    """What became of a prompt.

    Attributes:
        completion: the raw answer; of a refused or failed call its text is the reason.
        cost: US dollars, all attempts together; None when it is not known.
    """

    state: State
    completion: Completion
    cost: float | None


class Route:
    """Calls to one generator.

    Args:
        ready: awaited before a prompt is sent for the first time.
        on_slowed: told how many calls a second are begun at most, when rate limits have lowered that for the first
            time, and whenever they have halved it since; None while there are too few answers to tell how many.

    Attributes:
        down: why it answers nothing any more; None while it does.
        concurrency: calls that may be in flight, or at hand with the generator, at most.
    """

    def __init__(
        self,
        generator: Generator,
        name: str,
        limits: Limits,
        budget: Budget,
        ready: Callable[[], Awaitable[None]],
        *,
        on_slowed: Callable[[float | None], None] = lambda _: None,
    ) -> None:
        """
        Raises:
            RunError: there is a budget, and the price is not known.
        """
        self.generator = generator
        self.name = name
        self.down: str | None = None
        self._limits = limits
        self._budget = budget
        self._ready = ready
        self._on_slowed = on_slowed
        self._told_slow = False
        self._told_rate = math.inf
        ahead = generator.keep_to(limits.concurrency) if isinstance(generator, HoldsCalls) else 0
        self._pace = Pace(limits, ahead=ahead)
        self.concurrency = limits.concurrency + ahead
        self._limited_since: float | None = None
        self._failing_since: float | None = None
        self._failed = 0  # prompts in a row
        self._counts_tokens = budget.is_limited or limits.tokens_per_minute is not None
        self._canonical = SameAgain(canonical_json)
        if budget.is_limited and self._price is None:
            raise RunError(
                f"the price of the generator {name!r} is not known, and a budget needs one",
                remedy=f"set price = {{ prompt = ..., completion = ... }} (USD for a million tokens) in "
                f"[generators.{name}]",
            )

    @functools.cached_property
    def _price(self) -> Price | None:
        """Asked for at the first call: some generators have to load a list of prices."""
        price: Price | None = getattr(self.generator, "price", None)
        return price

    @property
    def in_flight(self) -> int:
        """Calls that have a place."""
        return self._pace.in_flight

    async def call(self, prompt: Prompt) -> Outcome:
        """Answer one prompt, with retries.

        Raises:
            RouteDown: the generator cannot answer any prompt.
            Skipped: it was told to leave the prompt out.
            RunError: the budget is used up, or the generator breaks its contract.
        """
        await self._pace.enter()
        try:
            await self._ready()
            return await self._attempts(prompt)
        finally:
            self._pace.leave()

    def send_no_more(self) -> None:
        """What the generator has at hand is not sent any more."""
        if isinstance(self.generator, HoldsCalls):
            self.generator.send_no_more()

    async def _attempts(self, prompt: Prompt) -> Outcome:
        failures = 0
        lost: float | None = 0.0  # what earlier attempts may have cost
        while True:
            if self.down is not None:
                raise RouteDown(self.down, lost)
            try:
                completion, cost = await self._attempt(prompt)
            except RateLimited as error:
                self._slow_down(error)
            except Transient as error:
                self._limited_since = None
                self._failing_since = self._failing_since or time.monotonic()
                lost = together(lost, self._assumed(prompt, error))
                failures += 1
                if failures >= self._limits.attempts:
                    if (reason := self._hopeless(error)) is not None:
                        self.down = reason
                        raise RouteDown(reason, lost) from error
                    return Outcome("failed", self._no_text(str(error)), lost)
                await asyncio.sleep(self._backoff(failures))
            except Refused as error:
                self._is_well()
                return Outcome("refused", self._no_text(str(error)), together(lost, self._assumed(prompt, error)))
            except Fatal as error:
                self.down = str(error)
                self.send_no_more()
                raise RouteDown(self.down, together(lost, self._assumed(prompt, error))) from error
            except RouteDown:
                continue  # to where it is told what was lost
            except (Skipped, GenreError):
                raise
            except Exception as error:
                raise RunError(
                    f"the generator {self.name!r} raised {error!r}, which is not a GenerationError",
                    remedy="its author should map it to one of the errors of genre.parts",
                ) from error
            else:
                self._is_well()
                state: State = "truncated" if completion.finish == "length" else "ok"
                return Outcome(state, completion, together(cost, lost))

    async def _attempt(self, prompt: Prompt) -> tuple[Completion, float | None]:
        """One call; money is set aside before it and settled after it, however it ends."""
        tokens = most_tokens(prompt, self._canonical) if self._counts_tokens else (0, 0)
        reserved = 0.0 if self._price is None or not self._budget.is_limited else self._price.of(*tokens)
        await self._budget.reserve(reserved)
        spent = 0.0
        try:
            await self._pace.begin(sum(tokens))
            if self.down is not None:  # it went down while this call waited: nothing is sent
                raise RouteDown(self.down)
            spent = reserved  # unless it turns out to be less: a call that was cut off may have been paid
            begun = time.perf_counter()
            try:
                completion = await self.generator.complete(prompt)
            except GenerationError as error:
                spent = reserved if error.may_be_billed else 0.0
                raise
            self._pace.succeeded(time.perf_counter() - begun)
            cost = actual_cost(completion, self._price)
            spent = reserved if cost is None else cost
            return completion, cost
        finally:
            self._budget.settle(reserved, spent)

    def _assumed(self, prompt: Prompt, error: GenerationError) -> float | None:
        """What a failed call counts for: its most where it may have been billed, unknown without a price."""
        if not error.may_be_billed:
            return 0.0
        return None if self._price is None else worst_case(prompt, self._price)

    def _is_well(self) -> None:
        """It said something about a prompt, whatever it was."""
        self._limited_since = self._failing_since = None
        self._failed = 0

    def _hopeless(self, error: Transient) -> str | None:
        """A prompt failed for good: after many in a row and a long time it is not the prompts' fault; says why."""
        self._failed += 1
        since = self._failing_since
        if self._failed < _HOPELESS or since is None or time.monotonic() - since <= self._limits.patience:
            return None
        return (
            f"it has answered nothing for {self._limits.patience:g} s, and the last {self._failed} prompts failed: "
            f"{error}; see whether the server runs, or raise `limits.patience`"
        )

    def _slow_down(self, error: RateLimited) -> None:
        """Close the whole route for a while: one 429 speaks for all calls in flight."""
        now = time.monotonic()
        self._limited_since = now if self._limited_since is None else self._limited_since
        if now - self._limited_since > self._limits.patience:
            self.down = (
                f"it met nothing but rate limits for {self._limits.patience:g} s: {error}; lower `limits.concurrency`, "
                "raise `limits.patience`, or ask the provider for a higher limit"
            )
            return
        wanted = error.retry_after or 0.0
        pause = wanted if wanted > 0 else self._backoff(1)  # some servers say 0, and limit again
        if self._pace.limited(min(pause, self._limits.patience)):
            self._tell_slow(self._pace.learned_rate)

    def _tell_slow(self, rate: float | None) -> None:
        if self._told_slow and (rate is None or rate > self._told_rate / 2):
            return
        self._told_slow = True
        self._told_rate = self._told_rate if rate is None else rate
        self._on_slowed(rate)

    def _backoff(self, failures: int) -> float:
        """Exponential, with jitter so that calls that failed together do not come back together."""
        longest: float = min(self._limits.longest_backoff, self._limits.backoff * 2 ** (failures - 1))
        return longest * random.uniform(*_JITTER)  # noqa: S311  not a secret

    def _no_text(self, reason: str) -> Completion:
        return Completion(text=reason, model=self.generator.identity.model)


_JITTER: Final = (0.5, 1.0)
_HOPELESS: Final = 8
"""Prompts in a row that failed after all attempts, before a generator may be declared down for it."""
