"""Baselines of the paper: encoders, interactions, and the recommenders that they make up.

What several of them share (the pooling encoders, the dot product) has a module of its own.
"""

from collections.abc import Iterator

from genre import hookimpl
from genre.parts import Baseline, Encoder, Part


@hookimpl
def genre_encoders() -> Iterator[Encoder]:
    """News and user encoders."""
    yield Encoder(
        name="pooling",
        encodes="news",
        summary="One vector a field (mean of its words, or its category), and their mean; gives field vectors",
        source="GENRE (arXiv 2305.06566), what its ranking baselines read with",
        target="genre_baselines.pooling:PoolingNewsEncoder",
        options="genre_baselines.options:PoolingNewsOptions",
    )
    yield Encoder(
        name="pooling",
        encodes="user",
        summary="Mean of the clicked news",
        source="GENRE (arXiv 2305.06566), what its ranking baselines read with",
        target="genre_baselines.pooling:PoolingUserEncoder",
    )
    yield Encoder(
        name="nrms",
        encodes="news",
        summary="Multi-head self-attention and additive attention over the words of each text",
        source="Wu et al., Neural News Recommendation with Multi-Head Self-Attention, EMNLP 2019",
        target="genre_baselines.nrms:NRMSNewsEncoder",
        options="genre_baselines.options:NRMSNewsOptions",
    )
    yield Encoder(
        name="nrms",
        encodes="user",
        summary="Multi-head self-attention and additive attention over the clicked news",
        source="Wu et al., Neural News Recommendation with Multi-Head Self-Attention, EMNLP 2019",
        target="genre_baselines.nrms:NRMSUserEncoder",
        options="genre_baselines.options:NRMSUserOptions",
    )


@hookimpl
def genre_interactions() -> Iterator[Part]:
    """How a user vector and a candidate become a score."""
    yield Part(
        name="dot",
        summary="Inner product of user and candidate",
        target="genre_baselines.dot:Dot",
    )
    yield Part(
        name="dcn",
        summary="Cross network beside a DNN over the user vector and the candidate's field vectors",
        source="Wang et al., Deep & Cross Network for Ad Click Predictions, ADKDD 2017",
        target="genre_baselines.dcn:DeepCross",
        options="genre_baselines.options:DeepCrossOptions",
    )


@hookimpl
def genre_baselines() -> Iterator[Baseline]:
    """The recommenders; d = 64 in the paper."""
    yield Baseline(
        name="nrms",
        summary="Matching: residual self-attention over words and over clicked news, dot product",
        source="Wu et al., Neural News Recommendation with Multi-Head Self-Attention, EMNLP 2019",
        news_encoder="nrms",
        user_encoder="nrms",
        interaction="dot",
        loss="cross-entropy",
        dim=64,
    )
    yield Baseline(
        name="dcn",
        summary="Ranking: pooled words and clicks, explicit feature crosses beside a DNN",
        source="Wang et al., Deep & Cross Network for Ad Click Predictions, ADKDD 2017",
        news_encoder="pooling",
        user_encoder="pooling",
        interaction="dcn",
        loss="binary",
        dim=64,
    )
