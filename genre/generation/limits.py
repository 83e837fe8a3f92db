"""How hard a generator is driven, and how it is driven less hard when it cannot follow."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from typing import Final

import attrs

_QUICKEST_RATE: Final = 1.0
"""Calls a second that a rate limit never slows a route below: one call a second is what backing off is for."""
_DECREASE: Final = 0.7
_INCREASE: Final = 0.05
"""Share of the rate that is added in the first second without a rate limit; twice as much in each further one."""
_LARGEST_INCREASE: Final = 0.3
_OBSERVED: Final = 64
"""Latest calls that latency, rate and limits are judged by."""
_NOISE: Final = 0.02
"""Seconds that answers may differ by for reasons that are not the server's."""
_MANY: Final = 0.1
"""Share of rate limits among the latest calls that shows too high a rate; fewer are hiccups, and only pause."""

_positive: Final = attrs.validators.gt(0.0)
_positive_if_any: Final = attrs.validators.optional(_positive)
_at_least_one: Final = attrs.validators.ge(1)


@attrs.frozen
class Limits:
    """How hard a generator is driven: the table `limits` of a generator in registry.toml.

    Attributes:
        concurrency: calls in flight, at most.
        requests_per_minute: calls begun in a minute; None for as many as the server takes.
        tokens_per_minute: tokens of prompts and answers in a minute, counted at their most; None for no limit.
        slow_down_at: when the median answer takes so many times as long as the quick ones once did, the server is
            overloaded, and fewer calls are kept in flight.
        attempts: tries for each prompt; rate limits do not use any up.
        backoff: seconds before the second try, doubled for each further one, with jitter.
        longest_backoff: upper bound of one wait, seconds.
        patience: seconds of nothing but rate limits, or of nothing but failures at several prompts, after which the
            generator is declared down.
    """

    concurrency: int = attrs.field(default=8, validator=_at_least_one)
    requests_per_minute: float | None = attrs.field(default=None, validator=_positive_if_any)
    tokens_per_minute: float | None = attrs.field(default=None, validator=_positive_if_any)
    slow_down_at: float = attrs.field(default=8.0, validator=attrs.validators.gt(1))
    attempts: int = attrs.field(default=4, validator=_at_least_one)
    backoff: float = attrs.field(default=0.5, validator=_positive)
    longest_backoff: float = attrs.field(default=30.0, validator=_positive)
    patience: float = attrs.field(default=300.0, validator=_positive)


class Bucket:
    """A token bucket: `rate` a second on average, at most a second's worth at once.

    What is larger than a second's worth waits until the bucket is full, and leaves it in debt.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rate = rate
        self._level = self._size
        self._at = clock()

    @property
    def rate(self) -> float:
        """How much a second."""
        return self._rate

    @rate.setter
    def rate(self, rate: float) -> None:
        self._refill()
        self._rate = rate
        self._level = min(self._level, self._size)

    @property
    def _size(self) -> float:
        return max(self._rate, 1.0)

    def take(self, amount: float) -> float:
        """Take it, and return the seconds to wait before it may be used."""
        self._refill()
        self._level -= amount
        return max(0.0, -self._level / self._rate)

    def _refill(self) -> None:
        now = self._clock()
        self._level = min(self._size, self._level + (now - self._at) * self._rate)
        self._at = now


class Pace:
    """When the next call of a route may begin.

    Concurrency rises by one a round of calls and falls by a tenth when answers take too long (additive increase,
    multiplicative decrease). The rate of calls is free until the server limits it; from then on it is what the server
    was seen to take, falls with further limits, and rises without: slowly at first, then faster. A few limits among
    many answers only pause, for some servers refuse a few calls whatever the rate.

    Args:
        ahead: calls that the generator takes beyond those in flight; none while fewer than `limits.concurrency` may be.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic, *, ahead: int = 0) -> None:
        self._limits = limits
        self._ahead = ahead
        self._clock = clock
        self._allowed = float(limits.concurrency)
        self._in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._open_at = 0.0
        self._requests = None if limits.requests_per_minute is None else Bucket(limits.requests_per_minute / 60, clock)
        self._tokens = None if limits.tokens_per_minute is None else Bucket(limits.tokens_per_minute / 60, clock)
        self._learned: Bucket | None = None
        self._raised_at = 0.0
        self._increase = _INCREASE
        self._limited: deque[bool] = deque(maxlen=_OBSERVED)
        self._lowered = False
        self._successes: deque[float] = deque(maxlen=_OBSERVED)
        self._latencies: deque[float] = deque(maxlen=_OBSERVED)
        self._quick = math.inf
        self._since_change = 0

    @property
    def allowed(self) -> int:
        """Calls that may be in flight now."""
        return max(1, int(self._allowed))

    @property
    def learned_rate(self) -> float | None:
        """Calls a second that are begun at most, as the server's limits have taught; None while they taught nothing."""
        if self._learned is None:
            return None
        return self._learned.rate if self._requests is None else min(self._learned.rate, self._requests.rate)

    @property
    def in_flight(self) -> int:
        """Calls that are in flight, or at hand."""
        return self._in_flight

    @property
    def _places(self) -> int:
        return self.allowed + self._ahead if self._allowed >= self._limits.concurrency else self.allowed

    async def enter(self) -> None:
        """Wait for a place among the calls in flight or at hand; `leave` gives it back."""
        while self._in_flight >= self._places:
            place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(place)
            try:
                await place
            except asyncio.CancelledError:
                if place.done() and not place.cancelled():
                    self._wake()  # the place was given to a call that will not take it
                raise
        self._in_flight += 1

    def leave(self) -> None:
        """Give the place back."""
        self._in_flight -= 1
        self._wake()

    async def begin(self, tokens: int) -> None:
        """Wait until a call of so many tokens may be sent."""
        while (closed := self._open_at - self._clock()) > 0:
            await asyncio.sleep(closed)
        wait = 0.0
        for bucket, amount in ((self._requests, 1.0), (self._learned, 1.0), (self._tokens, float(tokens))):
            if bucket is not None:
                wait = max(wait, bucket.take(amount))
        if wait > 0:
            await asyncio.sleep(wait)
            while (closed := self._open_at - self._clock()) > 0:  # a limit was met meanwhile
                await asyncio.sleep(closed)

    def succeeded(self, seconds: float) -> None:
        """An answer came after so many seconds."""
        now = self._clock()
        self._successes.append(now)
        self._limited.append(False)
        self._latencies.append(seconds)
        self._since_change += 1
        if self._learned is not None and now - self._raised_at >= 1.0:
            self._learned.rate += max(self._learned.rate * self._increase, 0.1)
            self._increase = min(_LARGEST_INCREASE, 2 * self._increase)
            self._raised_at = now
        if self._since_change < self.allowed:
            return
        recent = sorted(list(self._latencies)[-self.allowed :])
        self._since_change = 0
        # A tenth of them, not the quickest one: a single answer of few tokens says nothing of the server.
        self._quick = max(_NOISE, min(self._quick, recent[len(recent) // 10]))
        if recent[len(recent) // 2] > self._limits.slow_down_at * self._quick:
            self._allowed = max(1.0, self._allowed * 0.9)
        elif self._allowed < self._limits.concurrency:
            self._allowed = min(self._limits.concurrency, self._allowed + 1.0)
            self._wake()

    def limited(self, pause: float) -> bool:
        """A rate limit was met: nothing begins for `pause` seconds, and fewer calls a second after that.

        One limit speaks for all calls that were in flight with it: the rate falls once for them.

        Returns:
            Whether fewer are begun from now on, and not only after the pause.
        """
        now = self._clock()
        self._limited.append(True)
        if now >= self._open_at:
            self._lowered = False
        self._open_at = max(self._open_at, now + pause)
        if self._lowered or sum(self._limited) < _MANY * len(self._limited):
            return False
        self._lowered = True
        self._raised_at = self._open_at
        self._increase = _INCREASE
        if self._learned is not None:
            self._learned.rate = max(_QUICKEST_RATE, self._learned.rate * _DECREASE)
        elif observed := self._observed_rate(now):
            self._learned = Bucket(max(_QUICKEST_RATE, observed * _DECREASE), self._clock)
        self._allowed = max(1.0, self._allowed * 0.5)
        self._since_change = 0
        return True

    def _observed_rate(self, now: float) -> float:
        """Answers a second, over the last second or the latest answers, whichever is shorter; 0 without any."""
        recent = [moment for moment in self._successes if now - moment <= 1.0]
        return float(len(recent))

    def _wake(self) -> None:
        free = self._places - self._in_flight
        while free > 0 and self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                free -= 1
