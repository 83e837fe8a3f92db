# ruff: noqa: ARG002  the contracts pass more than every part uses
"""The interaction of matching models."""

from torch import Tensor, nn


class Dot(nn.Module):
    """`s_c = u^T c`."""

    field_aware = False

    def __init__(self, options: None, *, dim: int, fields: int) -> None:
        super().__init__()

    def forward(self, user: Tensor, candidates: Tensor, candidate_fields: Tensor | None = None) -> Tensor:
        """(B, 1 or C, D), (B, C, D) -> (B, C)"""
        return (user * candidates).sum(-1)
