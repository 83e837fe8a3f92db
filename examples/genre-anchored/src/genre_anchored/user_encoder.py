"""A user encoder: older clicks of a history count for less."""

import math

import attrs
import torch
from genre.modeling.blocks import masked_softmax
from torch import Tensor, nn


@attrs.frozen(kw_only=True)
class AnchoredUserEncoderOptions:
    """Options of the user encoder `anchored`.

    Attributes:
        half_life: clicks after which a click counts for half, before training; it is learned.
    """

    half_life: float = attrs.field(default=10.0, validator=attrs.validators.gt(0))


class AnchoredUserEncoder(nn.Module):
    """`sum_h a_h v_h`, `a = softmax(-f age)`: the latest click has age 0, and `f` is learned. Zero without clicks."""

    candidate_aware = False

    def __init__(self, options: AnchoredUserEncoderOptions, *, dim: int, users: int) -> None:
        super().__init__()
        self.fading = nn.Parameter(torch.tensor(math.log(2.0) / options.half_life))

    def forward(
        self, history: Tensor, mask: Tensor, user: Tensor, candidates: Tensor, candidate_mask: Tensor
    ) -> Tensor:
        """(B, H, D), (B, H) -> (B, 1, D)"""
        places = torch.arange(history.shape[1], device=mask.device)
        age = mask.sum(-1, keepdim=True) - 1 - places  # (B, H)
        weights = masked_softmax(-self.fading * age, mask)  # (B, H)
        return weights.unsqueeze(1) @ history.masked_fill(~mask.unsqueeze(-1), 0.0)
