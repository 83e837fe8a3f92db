"""What the interactions declare."""

from collections.abc import Iterator

from genre import hookimpl
from genre.parts import Part
from genre_baselines import papers


@hookimpl
def genre_interactions() -> Iterator[Part]:
    """How a user vector and a candidate become a score."""
    yield Part(
        name="dot",
        summary="Inner product of user and candidate",
        target="genre_baselines.interactions:Dot",
    )
    yield Part(
        name="deep",
        summary="DNN over the user vector and the candidate",
        source=f"{papers.BST}; {papers.DIN}",
        target="genre_baselines.interactions:Deep",
        options="genre_baselines.interactions:DeepOptions",
    )
    yield Part(
        name="dcn",
        summary="Cross network beside a DNN over the user vector and the candidate's field vectors",
        source=papers.DCN,
        target="genre_baselines.dcn:DeepCross",
        options="genre_baselines.dcn:DeepCrossOptions",
    )
    yield Part(
        name="pnn",
        summary="DNN over the user vector, the candidate's field vectors, and their products",
        source=papers.PNN,
        target="genre_baselines.pnn:ProductNetwork",
        options="genre_baselines.pnn:ProductOptions",
    )
