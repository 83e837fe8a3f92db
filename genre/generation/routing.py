"""Who is asked: the generators of a round, whom each prompt goes to, and under which keys its answers are."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import attrs

from genre.generation.keys import KeyMaker, Keys
from genre.generation.limits import Limits
from genre.generation.store import StoredAnswer
from genre.parts import Generator, Identity, Prompt, Router


@attrs.frozen(eq=False)
class Routing:
    """Who may answer a round's prompts.

    Attributes:
        name: the instance of `[generators.NAME]` that was asked for: a generator, or a router.
        routes: generators by name, with how hard to drive each.
        router: chooses among them for each prompt; None for the only one.
    """

    name: str
    routes: Mapping[str, tuple[Generator, Limits]]
    router: Router | None = None

    @classmethod
    def to(cls, generator: Generator, limits: Limits, name: str) -> "Routing":
        """One generator for all prompts."""
        return cls(name, {name: (generator, limits)})

    @property
    def identities(self) -> Mapping[str, Identity]:
        """Which model answers behind each name, and where."""
        return {name: generator.identity for name, (generator, _) in self.routes.items()}

    def preference(self, prompt: Prompt) -> Sequence[str]:
        """Whom to ask, the first choice first."""
        return tuple(self.routes) if self.router is None else self.router.route(prompt)


@attrs.frozen
class Question:
    """A prompt, whom to ask (the first choice first), and its keys."""

    prompt: Prompt
    names: tuple[str, ...]
    keys: Keys

    def answer_in(self, stored: Mapping[bytes, StoredAnswer]) -> StoredAnswer | None:
        """The stored answer of the first of them that has one."""
        for key in self.keys.answers:
            if (found := stored.get(key)) is not None:
                return found
        return None


class Addressing:
    """Says of each prompt of a round whom to ask, and under which keys the answers are."""

    def __init__(self, routing: Routing) -> None:
        self._routing = routing
        self._keys = KeyMaker(routing.identities)

    def question(self, prompt: Prompt) -> Question:
        """The prompt with whom to ask."""
        names = tuple(self._routing.preference(prompt))
        return Question(prompt, names, self._keys.keys(prompt, names))


class Routings(Protocol):
    """Generator instances by name; a `GeneratorPool` is one."""

    def get(self, name: str) -> Routing:
        """The instance of that name.

        Raises:
            UsageError: there is none.
        """
