# ruff: noqa: ARG002  the contracts pass more than every part uses
"""DIN (Zhou et al., KDD 2018): each candidate weighs the clicks by itself."""

import attrs
import torch
from torch import Tensor, nn

from genre.modeling.blocks import MLP, Activation
from genre_baselines.validators import are_widths


@attrs.frozen(kw_only=True)
class DINUserOptions:
    """
    Attributes:
        widths: hidden layers of the attention's MLP.
        activation: of these layers.
    """

    widths: tuple[int, ...] = attrs.field(default=(64,), validator=are_widths)
    activation: Activation = "dice"


class DINUserEncoder(nn.Module):
    """`u_c = sum_h a(c, h) h` with `a = MLP([c; h; c - h; c * h])`, not normalised.

    The weights' sum tells how strong an interest is, which a softmax would take away. Zero for an empty history.
    """

    candidate_aware = True

    def __init__(self, options: DINUserOptions, *, dim: int, users: int) -> None:
        super().__init__()
        self.hidden = MLP(4 * dim, options.widths, activation=options.activation)
        self.weight = nn.Linear(options.widths[-1], 1)

    def forward(
        self, history: Tensor, mask: Tensor, user: Tensor, candidates: Tensor, candidate_mask: Tensor
    ) -> Tensor:
        """(B, H, D), (B, H), (B, C, D) -> (B, C, D)"""
        clicks = history.masked_fill(~mask.unsqueeze(-1), 0.0)
        candidate = candidates.unsqueeze(2).expand(-1, -1, clicks.shape[1], -1)  # (B, C, H, D)
        click = clicks.unsqueeze(1).expand_as(candidate)
        pairs = torch.cat([candidate, click, candidate - click, candidate * click], dim=-1)  # (B, C, H, 4 D)
        seen = mask.unsqueeze(1) & candidate_mask.unsqueeze(2)  # (B, C, H)
        weights = self.weight(self.hidden(pairs, seen)).squeeze(-1)  # (B, C, H)
        attended: Tensor = (weights * mask.unsqueeze(1)) @ clicks
        return attended
