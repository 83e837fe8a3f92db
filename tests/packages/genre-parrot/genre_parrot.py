from genre import hookimpl
from genre.parts import Part


@hookimpl
def genre_generators():
    yield Part(
        name="parrot",
        summary="Says the question's last line, louder",
        target="genre_parrot_model:Parrot",
        options="genre_parrot_model:ParrotOptions",
    )
