# ruff: noqa: ARG002  the contracts pass more than every part uses
"""BST (Chen et al., DLP-KDD 2019): a Transformer over the clicks and the candidate."""

from typing import cast

import attrs
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genre.errors import UsageError
from genre.modeling.dropout import Dropout
from genre.modeling.packed_transformer import first_of_transformed
from genre.modeling.packing import Packing, packs
from genre_baselines.validators import is_count, is_ratio


@attrs.frozen(kw_only=True)
class BSTUserOptions:
    """
    Attributes:
        layers: of the Transformer.
        heads: of its self-attention; divides the width.
        feed_forward: width of its feed-forward layers.
        positions: clicks further back than this share a position.
        dropout: of what each part of a Transformer's layer returns, and within its feed-forward network.
    """

    layers: int = attrs.field(default=3, validator=is_count)
    heads: int = attrs.field(default=4, validator=is_count)
    feed_forward: int = attrs.field(default=256, validator=is_count)
    positions: int = attrs.field(default=50, validator=is_count)
    dropout: float = attrs.field(default=0.1, validator=is_ratio)


class BSTUserEncoder(nn.Module):
    """What a Transformer over `[c; h_1; ...; h_H]` makes of the candidate, each with an embedding of its distance.

    Two departures from the original. It feeds the outputs of all positions, concatenated, to the MLP; the candidate's
    output has a width that does not depend on the history, and no padding in it. And it normalises after each layer;
    here it is before, because three such layers take many epochs to start learning. Nothing is normalised after the
    last layer: the network above scales what it reads by itself.
    """

    candidate_aware = True

    def __init__(self, options: BSTUserOptions, *, dim: int, users: int) -> None:
        """
        Raises:
            UsageError: the heads do not divide the width.
        """
        super().__init__()
        if dim % options.heads:
            raise UsageError(
                f"{options.heads} attention heads do not divide the width {dim}", remedy="choose a multiple"
            )
        self.distances = nn.Embedding(options.positions + 1, dim)
        layers = [_layer(options, dim) for _ in range(options.layers)]
        self.transformer = nn.TransformerEncoder(layers[0], options.layers, enable_nested_tensor=False)
        self.transformer.layers = nn.ModuleList(layers)  # in place of copies of the first, which start alike
        with torch.no_grad():
            self.distances.weight.mul_(0.1)  # like the vectors of news, which they join

    def forward(
        self, history: Tensor, mask: Tensor, user: Tensor, candidates: Tensor, candidate_mask: Tensor
    ) -> Tensor:
        """(B, H, D), (B, H), (B, C, D) -> (B, C, D)"""
        rows, count, dim = candidates.shape
        places = torch.arange(history.shape[1], device=mask.device)
        distance = (mask.sum(-1, keepdim=True) - places).clamp(1, self.distances.num_embeddings - 1)  # (B, H)
        clicks = (history + self.distances(distance)).unsqueeze(1).expand(-1, count, -1, -1)
        candidate = (candidates + self.distances.weight[0]).unsqueeze(2)
        sequence = torch.cat([candidate, clicks], dim=2).flatten(0, 1)  # (B C, 1 + H, D)
        seen = mask.unsqueeze(1) & candidate_mask.unsqueeze(2)  # (B, C, H): nobody looks at what fills a row up
        seen = F.pad(seen, (1, 0), value=True).flatten(0, 1)  # (B C, 1 + H)
        return self._first(sequence, seen).view(rows, count, dim)

    def _first(self, sequence: Tensor, seen: Tensor) -> Tensor:
        """(B C, 1 + H, D), (B C, 1 + H) -> (B C, D)"""
        if not packs(seen):
            mixed: Tensor = self.transformer(sequence, src_key_padding_mask=~seen)
            return mixed[:, 0]
        packing = Packing.of(seen)
        layers = [cast(nn.TransformerEncoderLayer, layer) for layer in self.transformer.layers]
        return first_of_transformed(layers, packing.pack(sequence), packing)


def _layer(options: BSTUserOptions, dim: int) -> nn.TransformerEncoderLayer:
    layer = nn.TransformerEncoderLayer(
        dim,
        options.heads,
        options.feed_forward,
        options.dropout,
        activation=F.leaky_relu,
        batch_first=True,
        norm_first=True,
    )
    layer.self_attn.dropout = 0.0  # as where sequences are packed
    layer.dropout, layer.dropout1, layer.dropout2 = (Dropout(options.dropout) for _ in range(3))
    return layer
