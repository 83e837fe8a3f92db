# ruff: noqa: ARG002  the contracts pass more than every part uses
"""Pooling encoders: what the ranking models of the paper read news and readers with."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from genre.modeling.blocks import masked_mean
from genre.parts import FieldSpec, NewsBatch
from genre_baselines.embeddings import FieldEmbeddings
from genre_baselines.options import PoolingNewsOptions


class PoolingNewsEncoder(nn.Module):
    """Mean of a text's word embeddings, embedding of a category; the news vector is the mean over its F fields.

    A field that a news lacks counts as a zero vector, so that `pool` needs no mask.
    """

    tokenizer = "words"

    def __init__(self, options: PoolingNewsOptions, *, fields: Sequence[FieldSpec], dim: int) -> None:
        super().__init__()
        self.embeddings = FieldEmbeddings(fields, dim)
        self.dropout = nn.Dropout(options.dropout)

    def field_vectors(self, news: NewsBatch) -> Tensor:
        """(U, F, D)"""
        vectors = [masked_mean(self.embeddings(name, news[name]), news[name].mask) for name in self.embeddings.names]
        dropped: Tensor = self.dropout(torch.stack(vectors, dim=1))
        return dropped

    def pool(self, field_vectors: Tensor) -> Tensor:
        """(..., F, D) -> (..., D)"""
        return field_vectors.mean(-2)

    def forward(self, news: NewsBatch) -> Tensor:
        """(U, D)"""
        return self.pool(self.field_vectors(news))


class PoolingUserEncoder(nn.Module):
    """Mean of the clicked news; zero for an empty history."""

    candidate_aware = False

    def __init__(self, options: None, *, dim: int, users: int) -> None:
        super().__init__()

    def forward(self, history: Tensor, mask: Tensor, user: Tensor, candidates: Tensor) -> Tensor:
        """(B, H, D), (B, H) -> (B, 1, D)"""
        return masked_mean(history, mask).unsqueeze(1)
