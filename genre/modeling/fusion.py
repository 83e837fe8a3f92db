"""Interest fusion: what an LLM said of a reader joins the user vector (GENRE, equations 1 and 2)."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from genre.modeling.blocks import masked_mean


class InterestFusion(nn.Module):
    """`v_i = [mean of topic embeddings; mean of region embeddings]`, `v_iu = MLP([v_u; v_i])` with ReLU, 3d -> d.

    A trainable vector, zero at first, stands in where a reader has no topics or no regions. Works on any user vectors,
    so it reaches every model.
    """

    def __init__(self, dim: int, sizes: Mapping[str, int]) -> None:
        """`sizes`: number of ids of each kind of interests, 0 (none) included."""
        super().__init__()
        self.kinds = tuple(sizes)
        self.embeddings = nn.ModuleDict({kind: nn.Embedding(size, dim, padding_idx=0) for kind, size in sizes.items()})
        self.missing = nn.ParameterDict({kind: nn.Parameter(torch.zeros(dim)) for kind in sizes})
        # One hidden layer of 3d: the output layer is linear, for a user vector has both signs.
        width = dim * (1 + len(sizes))
        self.mlp = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, dim))

    def interest_vectors(self, interests: Mapping[str, Tensor]) -> Tensor:
        """`v_i` (B, 2D) from ids (B, T) of each kind; id 0 is padding."""
        parts = []
        for kind in self.kinds:
            ids = interests[kind]
            mask = ids != 0
            pooled = masked_mean(self.embeddings[kind](ids), mask)  # (B, D)
            parts.append(torch.where(mask.any(-1, keepdim=True), pooled, self.missing[kind]))
        return torch.cat(parts, dim=-1)

    def forward(self, user: Tensor, interests: Mapping[str, Tensor]) -> Tensor:
        """(B, 1 or C, D), ids (B, T) of each kind -> (B, 1 or C, D)"""
        vectors = self.interest_vectors(interests).unsqueeze(1).expand(-1, user.shape[1], -1)
        fused: Tensor = self.mlp(torch.cat([user, vectors], dim=-1))
        return fused
