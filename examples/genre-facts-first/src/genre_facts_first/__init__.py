"""A title for each news that says who did what, where.

This is what the plugin declares. Whoever lists plugins imports it, so it imports nothing heavy.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from genre import hookimpl
from genre.parts import Task

PROMPT: Final = Path(__file__).with_name("prompt.jinja")


@hookimpl
def genre_tasks() -> Iterator[Task]:
    """The task `facts-first`."""
    yield Task(
        name="facts-first",
        summary="A title for each news that says who did what, where",
        prompter="news-text",
        updater="text-version",
        defaults={"template": str(PROMPT), "answer": "title", "field": "title", "max_length": 100},
    )
