"""The two losses, over the same groups of one positive and up to k negatives."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F


def group_cross_entropy(logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Mean over groups of `-log softmax(s)` at the positive (GENRE, equation 4).

    Args:
        logits, labels: (B, C), one positive a group.
        mask: (B, C), False where a group has fewer candidates.
    """
    log_probabilities = torch.log_softmax(logits.masked_fill(~mask, torch.finfo(logits.dtype).min), dim=-1)
    return -(log_probabilities * labels).sum(-1).mean()


def group_binary(logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Mean over the candidates of all groups of the binary cross-entropy (GENRE, equation 3); shapes as above."""
    return F.binary_cross_entropy_with_logits(logits[mask], labels[mask])


LOSSES = {"cross-entropy": group_cross_entropy, "binary": group_binary}


def terms(loss: str, mask: NDArray[np.bool_]) -> int:
    """How many terms the loss of groups with this mask (B, C) is the mean of."""
    return int(mask.sum()) if loss == "binary" else len(mask)
