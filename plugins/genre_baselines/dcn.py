# ruff: noqa: ARG002  the contracts pass more than every part uses
"""DCN (Wang et al., ADKDD 2017): explicit feature crosses beside a deep network."""

import torch
from torch import Tensor, nn

from genre.modeling.blocks import MLP, CrossNetwork
from genre_baselines.options import DeepCrossOptions


class DeepCross(nn.Module):
    """`s = w^T [cross(x_0); dnn(x_0)] + b` with `x_0` = the user vector and the candidate's field vectors."""

    field_aware = True

    def __init__(self, options: DeepCrossOptions, *, dim: int, fields: int) -> None:
        super().__init__()
        width = dim * (1 + fields)
        self.cross = CrossNetwork(width, options.cross_layers)
        self.deep = MLP(width, options.widths, options.dropout)
        self.output = nn.Linear(width + options.widths[-1], 1)

    def forward(self, user: Tensor, candidates: Tensor, candidate_fields: Tensor | None = None) -> Tensor:
        """(B, 1 or C, D), (B, C, D), (B, C, F, D) -> (B, C)"""
        assert candidate_fields is not None
        user = user.expand(-1, candidate_fields.shape[1], -1)
        joined = torch.cat([user, candidate_fields.flatten(2)], dim=-1)  # (B, C, (1 + F) D)
        logits: Tensor = self.output(torch.cat([self.cross(joined), self.deep(joined)], dim=-1))
        return logits.squeeze(-1)
