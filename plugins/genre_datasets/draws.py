"""Random draws that repeat: everything comes from PCG64's doubles, whose stream numpy keeps fixed."""

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


class Draws:
    """A stream of draws. Named streams of one seed are independent, so that one may grow without moving another."""

    def __init__(self, seed: int, stream: int) -> None:
        self._generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, stream])))

    def uniform(self) -> float:
        """A number in [0, 1)."""
        return float(self._generator.random())

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self.uniform() * (high - low + 1))

    def gumbel(self) -> float:
        """Standard Gumbel noise: the largest of `utility + noise` is a draw from the softmax of the utilities."""
        return -math.log(-math.log(max(self.uniform(), 1e-300)))

    def pick(self, items: Sequence[T]) -> T:
        """One of `items`."""
        return items[int(self.uniform() * len(items))]

    def weighted(self, weights: Sequence[float], count: int) -> list[int]:
        """`count` distinct positions (fewer if there are not so many), each with a chance like its weight."""
        keys = [(math.log(weight) + self.gumbel(), index) for index, weight in enumerate(weights) if weight > 0]
        return [index for _, index in sorted(keys, reverse=True)[:count]]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """`items` in random order."""
        keys = [(self.uniform(), index) for index in range(len(items))]
        return [items[index] for _, index in sorted(keys)]
