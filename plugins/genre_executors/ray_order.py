"""Answers handed out in the order of their prompts, wherever each comes from."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import attrs

from genre.generation import StoredAnswer
from genre.generation.engine import Answered
from genre.parts import Prompt


@attrs.frozen
class Place:
    """A prompt in its turn: its stored answer, or the number of the row that will bring it."""

    prompt: Prompt
    answer: StoredAnswer | None
    row: int | None
    reused: bool


async def in_order(
    places: Sequence[Place], rows: AsyncGenerator[tuple[int, StoredAnswer | None], None]
) -> AsyncGenerator[Answered, None]:
    """Each prompt with its answer, from the store or from the rows, which come in any order."""
    arrived: dict[int, StoredAnswer | None] = {}
    async with aclosing(rows):
        for place in places:
            answer = place.answer
            if place.row is not None:
                while place.row not in arrived:
                    number, arrived[number] = await anext(rows)
                answer = arrived[place.row]
            yield Answered(place.prompt, answer, place.reused)


async def nothing() -> AsyncGenerator[tuple[int, StoredAnswer | None], None]:
    """No rows: all answers are stored."""
    rows: tuple[tuple[int, StoredAnswer | None], ...] = ()
    for row in rows:
        yield row
