"""Executors: prompts answered in this process, or by the machines of a Ray cluster."""

from collections.abc import Iterator

from genre import hookimpl
from genre.parts import Part


@hookimpl
def genre_executors() -> Iterator[Part]:
    """Where prompts are answered."""
    yield Part(
        name="local",
        summary="In this process, many calls at once",
        target="genre_executors.local:LocalExecutor",
    )
