# ruff: noqa: ARG002  the contracts pass more than every part uses
"""DIN (Zhou et al., KDD 2018): each candidate weighs the clicks by itself."""

from typing import cast

import attrs
from torch import Tensor, nn
from torch.nn import functional as F

from genre.modeling.blocks import MLP, Activation
from genre.modeling.packing import kept_positions
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
        rows, length, _ = history.shape
        index = kept_positions(mask)  # (N,) of the B H positions
        reader = index // length
        clicks = history.flatten(0, 1).index_select(0, index)  # (N, D)
        weights = self._weights(clicks, candidates, reader, candidate_mask[reader] & mask.flatten()[index, None])
        spread = weights.new_zeros(rows * length, weights.shape[1]).index_copy(0, index, weights)
        spread = spread.view(rows, length, -1) * mask.unsqueeze(-1)  # (B, H, C)
        return spread.transpose(1, 2) @ history.masked_fill(~mask.unsqueeze(-1), 0.0)

    def _weights(self, clicks: Tensor, candidates: Tensor, reader: Tensor, seen: Tensor) -> Tensor:
        """(N, C): what each click counts for each candidate of its reader.

        The first layer of `[c; h; c - h; c * h]` is taken term by term: only the product differs from pair to pair.
        """
        first = cast(nn.Linear, self.hidden.layers[0])
        of_candidate, of_click, of_difference, of_product = first.weight.chunk(4, dim=1)  # (W, D) each
        products = candidates.index_select(0, reader) * clicks.unsqueeze(1)  # (N, C, D)
        layer = F.linear(products, of_product)  # (N, C, W)
        layer = layer + F.linear(candidates, of_candidate + of_difference, first.bias).index_select(0, reader)
        layer = layer + F.linear(clicks, of_click - of_difference).unsqueeze(1)
        weights: Tensor = self.weight(self.hidden.activate(layer, seen)).squeeze(-1)
        return weights
