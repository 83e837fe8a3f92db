from genre import hookimpl
from genre.parts import Encoder


@hookimpl
def genre_encoders():
    yield Encoder(
        name="gist",
        encodes="field",
        summary="Largest value of each dimension over the words of a text",
        target="genre_gist_model:GistFieldEncoder",
    )
