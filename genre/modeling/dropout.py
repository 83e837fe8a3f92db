"""Dropout whose mask costs little on a CPU."""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_LEVELS: Final = 256


class Dropout(nn.Dropout):
    """`torch.nn.Dropout` with one random byte an element on a CPU, where drawing a float for each takes as long as a
    large product.

    The probability is then the nearest multiple of 1 / 256, but not 0 and not 1 unless it is; the scale fits it, so
    that the expectation is the same. The bytes come from torch's random state.
    """

    def forward(self, values: Tensor) -> Tensor:
        """(...) -> (...)"""
        as_torch = values.device.type != "cpu" or torch.compiler.is_compiling()
        if not self.training or self.p in (0.0, 1.0) or as_torch:
            return F.dropout(values, self.p, self.training)
        dropped = min(max(round(self.p * _LEVELS), 1), _LEVELS - 1)
        return values * _kept(values, dropped)


def _kept(like: Tensor, dropped: int) -> Tensor:
    """0 for `dropped` of 256 bytes, and else what the expectation needs. Clamping is much quicker than comparing."""
    words = torch.empty(-(-like.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
    levels = words.view(torch.uint8)[: like.numel()].view(like.shape).to(like.dtype)
    return levels.sub_(dropped - 1).clamp_(0, 1).mul_(_LEVELS / (_LEVELS - dropped))
