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
    yield Part(
        name="ray",
        summary="By the machines of a Ray cluster, with Ray Data: one store and one budget for all of them",
        source="https://docs.ray.io/en/latest/data/data.html",
        target="genre_executors.ray_executor:RayExecutor",
        options="genre_executors.ray_options:RayOptions",
    )
