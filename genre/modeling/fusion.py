"""Interest fusion: what an LLM said of a reader joins the user vector (GENRE, equations 1 and 2)."""

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor, nn

from genre.modeling.blocks import masked_mean

_SCALE: Final = 0.1
"""Standard deviation of fresh embeddings: near that of user vectors, which they join."""


class InterestFusion(nn.Module):
    """`v_i = [mean of topic embeddings; mean of region embeddings]`, `v_iu = MLP([v_u; v_i])` with ReLU, 3d -> d.

    A trainable vector, zero at first, stands in where a reader has no topics or no regions. Works on any user vectors,
    so it reaches every model.

    The paper gives the MLP's input, output and ReLU, and no more. Here it has one hidden layer of 3d with the ReLU and
    a linear output (a user vector has both signs), starts near the identity on `v_u`, and its embeddings start at a
    tenth of the usual scale, near that of user vectors.
    """

    def __init__(self, dim: int, sizes: Mapping[str, int]) -> None:
        """`sizes`: number of ids of each kind of interests, 0 (none) included."""
        super().__init__()
        self.kinds = tuple(sizes)
        self.embeddings = nn.ModuleDict({kind: nn.Embedding(size, dim, padding_idx=0) for kind, size in sizes.items()})
        self.missing = nn.ParameterDict({kind: nn.Parameter(torch.zeros(dim)) for kind in sizes})
        # One hidden layer of 3d: the output layer is linear, for a user vector has both signs.
        width = dim * (1 + max(len(sizes), 2))
        self.mlp = nn.Sequential(nn.Linear(dim * (1 + len(sizes)), width), nn.ReLU(), nn.Linear(width, dim))
        self._start_near_the_user_vector(dim)

    @torch.no_grad()
    def _start_near_the_user_vector(self, dim: int) -> None:
        """`relu(v) - relu(-v) = v`: 2d hidden units pass `v_u` through, the other d start at random.

        From a random start, an MLP takes user vectors out of the space that they share with the news, and training
        spends its first epochs on the way back.
        """
        first, _, last = self.mlp
        assert isinstance(first, nn.Linear)
        assert isinstance(last, nn.Linear)
        identity = torch.eye(dim)
        for rows, sign in ((slice(0, dim), 1.0), (slice(dim, 2 * dim), -1.0)):
            first.weight[rows].zero_()
            first.weight[rows, :dim] = sign * identity
            first.bias[rows].zero_()
            last.weight[:, rows] = sign * identity
        last.bias.zero_()
        for embedding in self.embeddings.values():
            assert isinstance(embedding, nn.Embedding)
            embedding.weight.mul_(_SCALE)

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
