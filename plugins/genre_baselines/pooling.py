# ruff: noqa: ARG002  the contracts pass more than every part uses
"""The user encoder of the ranking models DCN and PNN."""

from torch import Tensor, nn

from genre.modeling.blocks import masked_mean


class PoolingUserEncoder(nn.Module):
    """Mean of the clicked news; zero for an empty history."""

    candidate_aware = False

    def __init__(self, options: None, *, dim: int, users: int) -> None:
        super().__init__()

    def forward(
        self, history: Tensor, mask: Tensor, user: Tensor, candidates: Tensor, candidate_mask: Tensor
    ) -> Tensor:
        """(B, H, D), (B, H) -> (B, 1, D)"""
        return masked_mean(history, mask).unsqueeze(1)
