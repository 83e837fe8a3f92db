"""The router `mix`: several generators serve one round, by weight, by task, and one for another."""

import bisect
import itertools
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from genre.generation.keys import question_key
from genre.parts import Prompt

_HASHES: Final = 1 << 64


def _has_positive_weights(
    _instance: object, attribute: "attrs.Attribute[Mapping[str, float]]", value: Mapping[str, float]
) -> None:
    if any(weight < 0 for weight in value.values()) or not sum(value.values()) > 0:
        raise ValueError(f"{attribute.name} needs weights of which none is negative and one is positive")


@attrs.frozen(kw_only=True)
class MixOptions:
    """Options of the router `mix`.

    Attributes:
        routes: generator instances with their weights: `{ gpt = 7, claude = 3 }` sends 70 of 100 prompts to `gpt`. A
            weight of 0 makes a generator a reserve.
        tasks: instances that serve a task whatever the weights say: `{ user-profiler = "claude" }`.
        fall_back: the order in which others are asked when the chosen one is down or fails; those that are left out
            follow, the heavier first.
    """

    routes: Mapping[str, float] = attrs.field(validator=_has_positive_weights)
    tasks: Mapping[str, str] = attrs.field(factory=dict)
    fall_back: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        for name in (*self.tasks.values(), *self.fall_back):
            if name not in self.routes:
                raise ValueError(f"{name!r} is not among the routes {', '.join(self.routes)}: give it a weight, or 0")


class Mix:
    """Chooses by a hash of the question, so that a second run asks the same generator the same again."""

    def __init__(self, options: MixOptions) -> None:
        self._options = options
        chosen = {name: weight for name, weight in options.routes.items() if weight > 0}
        self._names = tuple(chosen)
        self._bounds = tuple(itertools.accumulate(chosen.values()))
        heavier_first = sorted(options.routes, key=lambda name: -options.routes[name])
        self._order = tuple(dict.fromkeys((*options.fall_back, *heavier_first)))

    @property
    def names(self) -> Sequence[str]:
        """All its routes."""
        return tuple(self._options.routes)

    def route(self, prompt: Prompt) -> Sequence[str]:
        """The task's route, or one by weight; then the others in their order."""
        first = self._options.tasks.get(prompt.task)
        if first is None:
            share = int.from_bytes(question_key(prompt)[:8]) / _HASHES
            first = self._names[min(bisect.bisect(self._bounds, share * self._bounds[-1]), len(self._names) - 1)]
        return (first, *(name for name in self._order if name != first))
