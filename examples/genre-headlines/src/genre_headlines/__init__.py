"""Answers with the longest line of the question.

This is what the plugin declares. Whoever lists plugins imports it, so it imports nothing heavy.
"""

from collections.abc import Iterator

from genre import hookimpl
from genre.parts import Part


@hookimpl
def genre_generators() -> Iterator[Part]:
    """The generator `headlines`."""
    yield Part(
        name="headlines",
        summary="Answers with the longest line of the question",
        target="genre_headlines.generator:HeadlinesGenerator",
        options="genre_headlines.generator:HeadlinesGeneratorOptions",
    )
