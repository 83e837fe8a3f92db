from genre import hookimpl
from genre.parts import Baseline, Encoder


@hookimpl
def genre_encoders():
    yield Encoder(
        name="recency",
        encodes="user",
        summary="Mean of the clicked news, in which older clicks fade",
        target="genre_recency_model:RecencyUserEncoder",
        options="genre_recency_model:RecencyOptions",
    )


@hookimpl
def genre_baselines():
    yield Baseline(
        name="recency",
        summary="Matching: convolutions over words, fading clicks, dot product",
        field_encoders={"text": "cnn", "category": "embedding"},
        news_encoder="attention",
        user_encoder="recency",
        interaction="dot",
        loss="cross-entropy",
        user_options={"half_life": 5.0},
    )
