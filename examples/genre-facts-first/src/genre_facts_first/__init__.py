"""A title made from key facts, which a round before it writes: two tasks, one a round.

This is what the plugin declares. Whoever lists plugins imports it, so it imports nothing heavy.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from genre import hookimpl
from genre.parts import Task

FACTS: Final = Path(__file__).with_name("facts.jinja")
PROMPT: Final = Path(__file__).with_name("prompt.jinja")


@hookimpl
def genre_tasks() -> Iterator[Task]:
    """The tasks of both rounds."""
    yield Task(
        name="key-facts",
        summary="The key facts of each news, in place of its abstract",
        prompter="news-text",
        updater="text-version",
        defaults={"template": str(FACTS), "answer": "facts", "field": "abstract", "max_length": 400},
    )
    yield Task(
        name="facts-first",
        summary="A title made from key facts, which a round before it writes",
        prompter="news-text",
        updater="text-version",
        # It reads what was written last, such as by a round of `key-facts`; without one, the article itself.
        defaults={
            "template": str(PROMPT),
            "answer": "title",
            "field": "title",
            "max_length": 100,
            "reads": "latest",
        },
    )
