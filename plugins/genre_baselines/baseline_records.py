"""The eight recommenders of the paper, as compositions of registered parts; d = 64 in the paper."""

from collections.abc import Iterator, Mapping

from genre import hookimpl
from genre.parts import Baseline
from genre_baselines import papers


@hookimpl
def genre_baselines() -> Iterator[Baseline]:
    """Four matching models, then four ranking models."""
    yield from _matching()
    yield from _ranking()


def _read_by(text: str) -> Mapping[str, str]:
    """Field encoders that differ in how they read texts alone."""
    return {"text": text, "category": "embedding", "entities": "embedding", "vector": "projection"}


def _matching() -> Iterator[Baseline]:
    yield Baseline(
        name="naml",
        summary="Matching: CNN and attention over words, attention over views and over clicks, dot product",
        source=papers.NAML,
        field_encoders=_read_by("cnn"),
        news_encoder="attention",
        user_encoder="naml",
        interaction="dot",
        loss="cross-entropy",
        dim=64,
    )
    yield Baseline(
        name="lstur",
        summary="Matching: CNN and attention over words, GRU over clicks started by the user, dot product",
        source=papers.LSTUR,
        field_encoders=_read_by("cnn"),
        news_encoder="concatenation",
        user_encoder="lstur",
        interaction="dot",
        loss="cross-entropy",
        field_options={"cnn": {"dropout": 0.2}},
        user_options={"long_term": "ini"},
        dim=64,
    )
    yield Baseline(
        name="nrms",
        summary="Matching: residual self-attention over words and over clicked news, dot product",
        source=papers.NRMS,
        field_encoders=_read_by("self-attention"),
        news_encoder="attention",
        user_encoder="nrms",
        interaction="dot",
        loss="cross-entropy",
        dim=64,
    )
    yield Baseline(
        name="plmnr",
        summary="Matching: a language model over words, self-attention over clicked news, dot product",
        source=papers.PLMNR,
        field_encoders=_read_by("plm"),
        news_encoder="attention",
        user_encoder="nrms",
        interaction="dot",
        loss="cross-entropy",
        dim=64,
    )


def _ranking() -> Iterator[Baseline]:
    yield Baseline(
        name="bst",
        summary="Ranking: a Transformer over the clicks and the candidate, a deep network",
        source=papers.BST,
        field_encoders=_read_by("embedding"),
        news_encoder="mean",
        user_encoder="bst",
        interaction="deep",
        loss="binary",
        interaction_options={"widths": (1024, 512, 256), "activation": "leaky-relu", "dropout": 0.1},
        dim=64,
    )
    yield Baseline(
        name="dcn",
        summary="Ranking: pooled words and clicks, explicit feature crosses beside a DNN",
        source=papers.DCN,
        field_encoders=_read_by("embedding"),
        news_encoder="mean",
        user_encoder="pooling",
        interaction="dcn",
        loss="binary",
        dim=64,
    )
    yield Baseline(
        name="pnn",
        summary="Ranking: pooled words and clicks, products of fields, a deep network",
        source=papers.PNN,
        field_encoders=_read_by("embedding"),
        news_encoder="mean",
        user_encoder="pooling",
        interaction="pnn",
        loss="binary",
        dim=64,
    )
    yield Baseline(
        name="din",
        summary="Ranking: each candidate weighs the clicks by itself, a deep network",
        source=papers.DIN,
        field_encoders=_read_by("embedding"),
        news_encoder="mean",
        user_encoder="din",
        interaction="deep",
        loss="binary",
        interaction_options={"widths": (200, 80), "activation": "dice"},
        dim=64,
    )
