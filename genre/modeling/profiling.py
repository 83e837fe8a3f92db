"""Where a training's time goes: seconds by phase of the loop, and torch's operators over a few steps."""

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

import torch
from torch import profiler

from genre.staging import staged_file

T = TypeVar("T")

_WARM_UP: Final = 3
"""Steps before operators are recorded: the first ones set up what the others use."""
_RECORDED: Final = 10
_OPERATORS: Final = 30


class Profile:
    """Seconds by phase; operators of at most ten steps of the first epoch within a block `with profile:`.

    Phases within each other count the inner one's time for the inner one alone.
    """

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._inner = 0.0
        self._begun = time.perf_counter()
        self._operators: profiler.profile | None = None
        self._steps = 0
        self._stopped = False

    def __enter__(self) -> Self:
        self._operators = profiler.profile(
            activities=[profiler.ProfilerActivity.CPU],
            schedule=profiler.schedule(wait=_WARM_UP, warmup=1, active=_RECORDED, repeat=1),
        )
        self._operators.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """The block is of this phase."""
        outer, self._inner = self._inner, 0.0
        begun = time.perf_counter()
        try:
            yield
        finally:
            taken = time.perf_counter() - begun
            self.seconds[name] += taken - self._inner
            self._inner = outer + taken

    def each(self, name: str, items: Iterable[T]) -> Iterator[T]:
        """The items; what it takes to make them is of this phase."""
        remaining = iter(items)
        while True:
            with self.phase(name):
                try:
                    item = next(remaining)
                except StopIteration:
                    return
            yield item

    def step(self) -> None:
        """A batch is done."""
        if self._operators is not None and not self._stopped:
            self._steps += 1
            self._operators.step()

    def pause(self) -> None:
        """What follows is no step: operators are recorded no more."""
        self._stop()

    @property
    def _recorded(self) -> int:
        """Steps whose operators were recorded."""
        return min(max(self._steps - _WARM_UP - 1, 0), _RECORDED)

    def _stop(self) -> None:
        if self._operators is not None and not self._stopped:
            self._stopped = True
            self._operators.stop()

    def write(self, path: Path) -> None:
        """Write it as JSON: `seconds` by phase, and `operators` with their milliseconds a step, the longest first.

        Raises:
            RunError: the file cannot be written.
        """
        steps = self._recorded
        averages = self._operators.key_averages() if self._operators is not None and steps else ()
        longest_first = sorted(averages, key=lambda each: -each.self_cpu_time_total)[:_OPERATORS]
        other = time.perf_counter() - self._begun - sum(self.seconds.values())
        phases = sorted({**self.seconds, "other": other}.items(), key=lambda phase: -phase[1])
        told = {
            "seconds": {name: round(seconds, 4) for name, seconds in phases},
            "operators": [
                {
                    "name": each.key,
                    "calls_a_step": round(each.count / steps, 1),
                    "ms_a_step": round(each.self_cpu_time_total / 1000 / steps, 3),
                }
                for each in longest_first
            ],
            "threads": torch.get_num_threads(),
        }
        with staged_file(path, "profile") as staging:
            staging.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
