import math

import attrs
import torch
from torch import nn

from genre.modeling.blocks import masked_softmax


@attrs.frozen
class RecencyOptions:
    half_life: float = attrs.field(default=10.0, validator=attrs.validators.gt(0))


class RecencyUserEncoder(nn.Module):
    candidate_aware = False

    def __init__(self, options, *, dim, users):
        super().__init__()
        self.fading = nn.Parameter(torch.tensor(math.log(2.0) / options.half_life))

    def forward(self, history, mask, user, candidates, candidate_mask):
        places = torch.arange(history.shape[1], device=mask.device)
        age = mask.sum(-1, keepdim=True) - 1 - places  # (B, H), 0 for the latest click
        weights = masked_softmax(-self.fading * age, mask)
        return weights.unsqueeze(1) @ history.masked_fill(~mask.unsqueeze(-1), 0.0)  # (B, 1, D)
