"""How long stored answers were: what an estimate expects of the next ones."""

from typing import Final

import attrs

from genre.generation.store import AnswerStore

_LENGTHS: Final = (
    "SELECT generator, count(*), sum(completion_tokens) FROM answers "
    "WHERE task = ? AND state IN ('ok', 'truncated') AND completion_tokens IS NOT NULL GROUP BY 1 ORDER BY 1"
)


@attrs.frozen
class Lengths:
    """How long a task's answers by one generator were.

    Attributes:
        answers: those whose tokens the provider told.
        completion_tokens: all of them together.
    """

    generator: str
    answers: int
    completion_tokens: int


def answer_lengths(store: AnswerStore, task: str) -> list[Lengths]:
    """How long the task's answers were, by generator.

    Raises:
        RunError: the file is damaged.
    """
    return [Lengths(*row) for row in store.read(_LENGTHS, (task,))]  # type: ignore[arg-type]
