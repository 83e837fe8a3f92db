"""Parts that only tests need: a candidate-aware user encoder, and a registry that knows it."""

import attrs
import torch
from torch import Tensor, nn

from genre.modeling.blocks import masked_softmax
from genre.parts import Baseline, Encoder
from genre.registry import RegisteredPart, Registry


class TargetAttention(nn.Module):
    """Attention over the history with the candidate as the query, and the user's embedding."""

    candidate_aware = True

    def __init__(self, options: None, *, dim: int, users: int) -> None:
        super().__init__()
        self.key = nn.Linear(dim, dim)
        self.user = nn.Embedding(users, dim)

    def forward(
        self, history: Tensor, mask: Tensor, user: Tensor, candidates: Tensor, candidate_mask: Tensor
    ) -> Tensor:
        """(B, H, D), (B, H), (B,), (B, C, D) -> (B, C, D)"""
        logits = candidates @ self.key(history).transpose(1, 2)  # (B, C, H)
        read: Tensor = masked_softmax(logits, mask[:, None].expand_as(logits)) @ history
        return torch.tanh(read + self.user(user)[:, None])


TOY = Baseline(
    name="toy",
    summary="Candidate-aware",
    field_encoders={"text": "embedding", "category": "embedding"},
    news_encoder="mean",
    user_encoder="target-attention",
    interaction="dcn",
    loss="binary",
    dim=16,
    interaction_options={"widths": [8]},
)


def with_toys(registry: Registry) -> Registry:
    """The registry, and the toy user encoder in it."""
    part = Encoder(
        name="target-attention", encodes="user", summary="A toy", target="modeling.toy_parts:TargetAttention"
    )
    entry = RegisteredPart("user-encoder", part, "tests", True)
    return attrs.evolve(registry, parts={**registry._parts, ("user-encoder", part.name): entry})
