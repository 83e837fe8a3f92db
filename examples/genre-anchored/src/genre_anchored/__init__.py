"""Convolutions over words, a reader who is the latest click and the mean of all, dot product.

This is what the plugin declares. Whoever lists plugins imports it, so it imports nothing heavy.
"""

from collections.abc import Iterator

from genre import hookimpl
from genre.parts import Baseline, Encoder


@hookimpl
def genre_baselines() -> Iterator[Baseline]:
    """The baseline `anchored`."""
    yield Baseline(
        name="anchored",
        summary="Convolutions over words, a reader who is the latest click and the mean of all, dot product",
        field_encoders={"text": "cnn", "category": "embedding"},
        news_encoder="attention",
        user_encoder="anchored",
        interaction="dot",
        loss="cross-entropy",
        dim=64,
        user_options={"share": 0.3},
    )


@hookimpl
def genre_encoders() -> Iterator[Encoder]:
    """The one part of the baseline that is new."""
    yield Encoder(
        name="anchored",
        encodes="user",
        summary="The latest click and the mean of all clicks, in shares that are learned",
        target="genre_anchored.user_encoder:AnchoredUserEncoder",
        options="genre_anchored.user_encoder:AnchoredUserEncoderOptions",
    )
