"""DCN (Wang et al., ADKDD 2017): explicit feature crosses beside a deep network."""

import attrs
import torch
from torch import Tensor, nn

from genre.modeling.blocks import MLP, CrossNetwork
from genre_baselines.validators import are_widths, is_count, is_ratio


@attrs.frozen(kw_only=True)
class DeepCrossOptions:
    """
    Attributes:
        cross_layers: of the cross network.
        widths: layers of the DNN (the paper: 1000 x 3).
        dropout: of the DNN.
    """

    cross_layers: int = attrs.field(default=3, validator=is_count)
    widths: tuple[int, ...] = attrs.field(default=(1000, 1000, 1000), validator=are_widths)
    dropout: float = attrs.field(default=0.1, validator=is_ratio)


class DeepCross(nn.Module):
    """`s = w^T [cross(x_0); dnn(x_0)] + b` with `x_0` = the user vector and the candidate's field vectors."""

    field_aware = True

    def __init__(self, options: DeepCrossOptions, *, dim: int, fields: int) -> None:
        super().__init__()
        width = dim * (1 + fields)
        self.cross = CrossNetwork(width, options.cross_layers)
        self.deep = MLP(width, options.widths, dropout=options.dropout)
        self.output = nn.Linear(width + options.widths[-1], 1)

    def forward(
        self, user: Tensor, candidates: Tensor, candidate_mask: Tensor, candidate_fields: Tensor | None = None
    ) -> Tensor:
        """(B, 1 or C, D), (B, C, F, D) -> (B, C)"""
        assert candidate_fields is not None
        joined = torch.cat([user.expand_as(candidates), candidate_fields.flatten(2)], dim=-1)  # (B, C, (1 + F) D)
        logits: Tensor = self.output(torch.cat([self.cross(joined), self.deep(joined, candidate_mask)], dim=-1))
        return logits.squeeze(-1)
