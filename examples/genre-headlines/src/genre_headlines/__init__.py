"""Asks an HTTP service for a headline.

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
        summary="Asks an HTTP service for a headline",
        target="genre_headlines.generator:HeadlinesGenerator",
        options="genre_headlines.generator:HeadlinesGeneratorOptions",
    )
