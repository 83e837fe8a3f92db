"""What several of the models do alike: fields of news, news vectors, scores."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from reference.fusion import fused
from reference.math import Activation, Array, Weights, additive_attention, linear, mean, mlp, under

ReadText: TypeAlias = Callable[[Weights, int, "News", str], Array]
"""Weights of the encoder of texts, position of the field, the news, name of the field."""

Encode: TypeAlias = Callable[[Weights, "News"], Array]
UserOf: TypeAlias = Callable[[Sequence[Array]], Array]
AwareOf: TypeAlias = Callable[[Weights, Sequence[Array], Array], Array]
"""News vector; user vector from clicks; the same from weights, clicks and a candidate."""

_ENCODERS = "news_tower.field_encoders"


@dataclass(frozen=True)
class News:
    """What one news has: ids of words and entities, None for no category or vector. Fields stand in the model's order.

    `states`: what a language model makes of the words of each text that has any.
    """

    texts: Mapping[str, Sequence[int]]
    categories: Mapping[str, int | None]
    entities: Mapping[str, Sequence[int]]
    vectors: Mapping[str, Array | None]
    states: dict[str, Array] = field(default_factory=dict)


@dataclass(frozen=True)
class Reader:
    """Clicked news, oldest first; `user` is 0 for one not seen in training."""

    clicks: Sequence[int]
    user: int
    topics: Sequence[int]
    regions: Sequence[int]


def matching_logits(
    weights: Weights, news: Sequence[News], reader: Reader, candidates: Sequence[int], encode: Encode, user: UserOf
) -> list[float]:
    """`s_c = u^T c`"""
    clicks = [encode(weights, news[click]) for click in reader.clicks]
    vector = fused(weights, user(clicks), reader.topics, reader.regions)
    return [float(vector @ encode(weights, news[candidate])) for candidate in candidates]


def deep_logits(
    weights: Weights, news: Sequence[News], reader: Reader, candidates: Sequence[int], user: AwareOf, layer: Activation
) -> list[float]:
    """`s_c = w^T MLP([u_c; c]) + b`"""
    clicks = [mean_of_fields(weights, ranking_fields(weights, news[click])) for click in reader.clicks]
    own, scores = under(weights, "interaction"), []
    for position in candidates:
        candidate = mean_of_fields(weights, ranking_fields(weights, news[position]))
        vector = fused(weights, user(under(weights, "user_encoder"), clicks, candidate), reader.topics, reader.regions)
        hidden = mlp(under(own, "hidden"), np.concatenate([vector, candidate]), layer)
        scores.append(float(linear(under(own, "output"), hidden)[0]))
    return scores


def pooled_user(weights: Weights, news: Sequence[News], reader: Reader) -> Array:
    """Mean of the clicked news, fused."""
    clicks = [mean_of_fields(weights, ranking_fields(weights, news[click])) for click in reader.clicks]
    return fused(weights, mean(clicks, dim_of(weights)), reader.topics, reader.regions)


def attended_fields(weights: Weights, news: News, read: ReadText) -> Array:
    """News vector: attention over the fields that the news has (NAML, section 3.1)."""
    fields = [each for each in matching_fields(weights, news, read) if each is not None]
    return additive_attention(under(weights, "news_tower.news_encoder.views"), fields)


def words(encoder: Weights, news: News, name: str) -> list[Array]:
    """Vectors of a text's words."""
    return [lookup(under(encoder, "embeddings.0"), word) for word in news.texts[name]]


def lookup(embedding: Weights, number: int) -> Array:
    """A row of a table; of another width than the model's, it is projected."""
    row = embedding["table.weight"][number]
    return embedding["project.weight"] @ row if "project.weight" in embedding else row


def matching_fields(weights: Weights, news: News, read: ReadText) -> list[Array | None]:
    """A vector for each field, None for one that the news lacks: an encoder of texts, one of ids, one of vectors."""
    encoder = under(weights, f"{_ENCODERS}.0")
    texts = [read(encoder, i, news, name) if news.texts[name] else None for i, name in enumerate(news.texts)]
    return [*texts, *_ids(under(weights, f"{_ENCODERS}.1"), news, 0), *_vectors(under(weights, f"{_ENCODERS}.2"), news)]


def ranking_fields(weights: Weights, news: News) -> list[Array | None]:
    """The same of a model with one encoder for texts and ids: the mean of what it embeds."""
    encoder = under(weights, f"{_ENCODERS}.0")
    texts = [mean(words(encoder, news, name), dim_of(weights)) if news.texts[name] else None for name in news.texts]
    return [*texts, *_ids(encoder, news, 1), *_vectors(under(weights, f"{_ENCODERS}.1"), news)]


def mean_of_fields(weights: Weights, fields: Sequence[Array | None]) -> Array:
    """News vector: the mean of the fields that the news has."""
    return mean([each for each in fields if each is not None], dim_of(weights))


def zeros_for_none(weights: Weights, fields: Sequence[Array | None]) -> list[Array]:
    """All fields, zero where the news lacks one."""
    return [np.zeros(dim_of(weights)) if each is None else each for each in fields]


def dim_of(weights: Weights) -> int:
    """Width of news vectors: what dense vectors are projected to."""
    return next(len(weights[name]) for name in weights if name.endswith("project.0.weight"))


def _ids(encoder: Weights, news: News, first: int) -> list[Array | None]:
    """Each category has a table, the first with the number `first`; entities share the one after them."""
    tables = [under(encoder, f"embeddings.{first + i}") for i in range(len(news.categories) + 1)]
    categories = [
        None if value is None else lookup(table, value)
        for table, value in zip(tables[:-1], news.categories.values(), strict=True)
    ]
    entities = [
        mean([lookup(tables[-1], each) for each in values], len(lookup(tables[-1], 0))) if values else None
        for values in news.entities.values()
    ]
    return [*categories, *entities]


def _vectors(encoder: Weights, news: News) -> list[Array | None]:
    return [
        None if vector is None else linear(under(encoder, f"project.{i}"), vector)
        for i, vector in enumerate(news.vectors.values())
    ]
