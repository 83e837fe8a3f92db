"""Executors: where a round's prompts are answered, in this process or on other machines."""

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Protocol, cast

import attrs

from genre.errors import UsageError
from genre.generation.budget import Budget
from genre.generation.engine import Answered
from genre.generation.instances import instance
from genre.generation.routing import Routing
from genre.generation.store import AnswerStore
from genre.parts import AnswersStored, Prompt
from genre.registry import Registry


class Asker(Protocol):
    """What answers the prompts of rounds, one round after another. `Engine` is one."""

    def answers(self, prompts: Iterable[Prompt], routing: Routing) -> AsyncGenerator[Answered, None]:
        """Answer every prompt, in their order, from the store where it can.

        Args:
            prompts: read lazily, a bounded number ahead.
            routing: who may answer.

        Raises:
            RunError: nobody can answer any prompt, or the budget is used up; what was answered until then is stored.
        """


@attrs.frozen(eq=False)
class Work:
    """What an executor works with: one store and one budget for all rounds.

    Attributes:
        registry: plugins and settings, from which other processes make the same generators.
        store: where answers go and come from.
        budget: what the calls of all rounds may cost.
        on_stored: told after each group commit; it must be quick.
        on_route_down: told once of each generator that answers nothing any more while others go on, and why.
        on_slowed: told of each generator how many calls a second are begun at most, when its rate limits have lowered
            that, None while too few answers tell how many. An executor whose machines share the limits need not tell.
    """

    registry: Registry
    store: AnswerStore
    budget: Budget = attrs.field(factory=Budget)
    on_stored: Callable[[AnswersStored], None] = lambda _: None
    on_route_down: Callable[[str, str], None] = lambda *_: None
    on_slowed: Callable[[str, float | None], None] = lambda *_: None


class Executor(Protocol):
    """Decides where prompts are answered. Called `target(options)`.

    Whatever the place, the outcome is the same: an answer is in the store before it is handed out, what is stored is
    not asked again, equal prompts are asked once, and the budget is not exceeded.
    """

    def open(self, work: Work) -> AbstractAsyncContextManager[Asker]:
        """What answers prompts until the block ends; frees what it holds, however it ends."""


def find_executor(registry: Registry, name: str | None = None) -> Executor:
    """The executor that `[executors.NAME]` describes, or a plugin of that name with its default options.

    Args:
        name: default: `executor` of `[defaults]`, and `local` without one.

    Raises:
        UsageError: there is none, or an option of it is wrong.
    """
    where = None
    if name is None:
        where = registry.settings.where("defaults", "executor")
        said = registry.settings.table("defaults").get("executor", "local")
        if not isinstance(said, str):
            raise UsageError(f"executor is {said!r}, and a name is expected", where=where)
        name = said
    found = instance(registry, "executor", name, named_at=where)
    return cast(Executor, registry.create("executor", found.plugin, found.options, where=found.where))
