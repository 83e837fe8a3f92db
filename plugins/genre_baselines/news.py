# ruff: noqa: ARG002  the contracts pass more than every part uses
"""News encoders: the vectors of a news's fields become one. A field that a news lacks has no say."""

import attrs
from torch import Tensor, nn

from genre.modeling.blocks import AdditiveAttention, masked_mean
from genre_baselines.validators import is_count


@attrs.frozen(kw_only=True)
class AttentionOptions:
    """
    Attributes:
        hidden: width of the additive attention.
    """

    hidden: int = attrs.field(default=64, validator=is_count)


class AttentionNewsEncoder(nn.Module):
    """Additive attention over the fields, as NAML weighs its views."""

    def __init__(self, options: AttentionOptions, *, fields: int, dim: int) -> None:
        super().__init__()
        self.views = AdditiveAttention(dim, options.hidden)

    def forward(self, field_vectors: Tensor, mask: Tensor) -> Tensor:
        """(U, F, D), (U, F) -> (U, D)"""
        vector: Tensor = self.views(field_vectors, mask)
        return vector


class ConcatenationNewsEncoder(nn.Module):
    """`W [f_1; ...; f_F] + b`: the concatenated fields, projected back to the width that all vectors share."""

    def __init__(self, options: None, *, fields: int, dim: int) -> None:
        super().__init__()
        self.project = nn.Linear(fields * dim, dim)

    def forward(self, field_vectors: Tensor, mask: Tensor) -> Tensor:
        """(U, F, D), zero where missing -> (U, D)"""
        vector: Tensor = self.project(field_vectors.flatten(-2))
        return vector


class MeanNewsEncoder(nn.Module):
    """Mean of the fields that a news has."""

    def __init__(self, options: None, *, fields: int, dim: int) -> None:
        super().__init__()

    def forward(self, field_vectors: Tensor, mask: Tensor) -> Tensor:
        """(U, F, D), (U, F) -> (U, D)"""
        return masked_mean(field_vectors, mask)
