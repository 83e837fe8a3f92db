"""Quality gates: which parsed answers become records."""

from collections.abc import Iterator

from genre import hookimpl
from genre.parts import Part


@hookimpl
def genre_gates() -> Iterator[Part]:
    """Gates that any task can name in `[tasks.NAME.gates]`."""
    yield Part(
        name="distinct",
        summary="Rejects an answer whose text another answer of the round, or another news, has already",
        source="GENRE's synthetic books: 488 distinct titles among 2,306",
        target="genre_gates.distinct:Distinct",
        options="genre_gates.distinct:DistinctOptions",
    )
