"""A user encoder: a reader is the latest click and the mean of all."""

import math

import attrs
import torch
from genre.modeling.blocks import masked_mean
from torch import Tensor, nn


@attrs.frozen(kw_only=True)
class AnchoredUserEncoderOptions:
    """Options of the user encoder `anchored`.

    Attributes:
        share: what the latest click counts beside the mean, between 0 and 1, before training; it is learned.
    """

    share: float = attrs.field(default=0.5, validator=[attrs.validators.gt(0), attrs.validators.lt(1)])


class AnchoredUserEncoder(nn.Module):
    """`s v_H + (1 - s) mean_h v_h`, dimension by dimension, where `s` is learned. Zero without clicks."""

    candidate_aware = False

    def __init__(self, options: AnchoredUserEncoderOptions, *, dim: int, users: int) -> None:
        super().__init__()
        self.share = nn.Parameter(torch.full((dim,), math.log(options.share / (1 - options.share))))

    def forward(
        self, history: Tensor, mask: Tensor, user: Tensor, candidates: Tensor, candidate_mask: Tensor
    ) -> Tensor:
        """(B, H, D), (B, H) -> (B, 1, D)"""
        clicked = history.masked_fill(~mask.unsqueeze(-1), 0.0)
        is_latest = torch.arange(history.shape[1], device=mask.device) == mask.sum(-1, keepdim=True) - 1  # (B, H)
        latest = is_latest.to(clicked.dtype).unsqueeze(1) @ clicked
        share = torch.sigmoid(self.share)
        return share * latest + (1 - share) * masked_mean(clicked, mask).unsqueeze(1)
