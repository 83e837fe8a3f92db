# ruff: noqa: ARG002  the contracts pass more than every part uses
"""Interactions that see the candidate as one vector: an inner product, and a deep network."""

import attrs
import torch
from torch import Tensor, nn

from genre.modeling.blocks import MLP, Activation
from genre_baselines.validators import are_widths, is_ratio


class Dot(nn.Module):
    """`s_c = u^T c`: the interaction of matching models."""

    field_aware = False

    def __init__(self, options: None, *, dim: int, fields: int) -> None:
        super().__init__()

    def forward(
        self, user: Tensor, candidates: Tensor, candidate_mask: Tensor, candidate_fields: Tensor | None = None
    ) -> Tensor:
        """(B, 1 or C, D), (B, C, D) -> (B, C)"""
        return (user * candidates).sum(-1)


@attrs.frozen(kw_only=True)
class DeepOptions:
    """
    Attributes:
        widths: layers of the network (DIN: 200, 80).
        activation: of these layers.
        dropout: of these layers.
    """

    widths: tuple[int, ...] = attrs.field(default=(200, 80), validator=are_widths)
    activation: Activation = "relu"
    dropout: float = attrs.field(default=0.0, validator=is_ratio)


class Deep(nn.Module):
    """`s_c = w^T MLP([u; c]) + b`: the interaction of BST and DIN."""

    field_aware = False

    def __init__(self, options: DeepOptions, *, dim: int, fields: int) -> None:
        super().__init__()
        self.hidden = MLP(2 * dim, options.widths, activation=options.activation, dropout=options.dropout)
        self.output = nn.Linear(options.widths[-1], 1)

    def forward(
        self, user: Tensor, candidates: Tensor, candidate_mask: Tensor, candidate_fields: Tensor | None = None
    ) -> Tensor:
        """(B, 1 or C, D), (B, C, D) -> (B, C)"""
        joined = torch.cat([user.expand_as(candidates), candidates], dim=-1)
        logits: Tensor = self.output(self.hidden(joined, candidate_mask))
        return logits.squeeze(-1)
