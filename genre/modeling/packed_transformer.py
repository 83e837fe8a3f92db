"""A Transformer of torch's own layers over packed sequences, of which only the first position's outcome is wanted."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genre.modeling.packed_attention import packed_attention
from genre.modeling.packing import Packing, softmax


def first_of_transformed(layers: Sequence[nn.TransformerEncoderLayer], values: Tensor, packing: Packing) -> Tensor:
    """What the layers make of each sequence's first position, (P, D) -> (B, D); no sequence may be empty.

    Layers that normalise first, without dropout of attention weights. The last one works on first positions only.
    """
    for layer in layers[:-1]:
        attention = layer.self_attn
        projected = F.linear(layer.norm1(values), attention.in_proj_weight, attention.in_proj_bias)
        values = _after_attention(layer, values, packed_attention(projected, packing, attention.num_heads))
    last = layers[-1]
    normed = last.norm1(values)
    first = packing.first()  # (B,)
    weights, bias = last.self_attn.in_proj_weight, last.self_attn.in_proj_bias
    width = values.shape[1]
    query = F.linear(normed.index_select(0, first), weights[:width], bias[:width])  # (B, D)
    keys_values = F.linear(normed, weights[width:], bias[width:])  # (P, 2 D)
    mixed = _attention_of_first(query, keys_values, packing, last.self_attn.num_heads)
    return packing.spread(_after_attention(last, values.index_select(0, first), mixed))


def _after_attention(layer: nn.TransformerEncoderLayer, values: Tensor, mixed: Tensor) -> Tensor:
    """(R, D), (R, D) -> (R, D)"""
    values = values + layer.dropout1(layer.self_attn.out_proj(mixed))
    hidden = layer.dropout(layer.activation(layer.linear1(layer.norm2(values))))
    outcome: Tensor = values + layer.dropout2(layer.linear2(hidden))
    return outcome


def _attention_of_first(query: Tensor, keys_values: Tensor, packing: Packing, heads: int) -> Tensor:
    """(B, E), (P, 2 E) -> (B, E), sequences as they are packed."""
    scale = (query.shape[1] // heads) ** -0.5
    queries = torch.split(query, [count for count, _ in packing.groups])
    positions = torch.split(keys_values, [count * length for count, length in packing.groups])
    mixed = []
    for (count, length), asked, given in zip(packing.groups, queries, positions, strict=True):
        key, value = given.view(count, length, 2, heads, -1).permute(2, 0, 3, 1, 4)  # (count, heads, length, E / heads)
        weights = softmax((asked.view(count, heads, 1, -1) * key).sum(-1) * scale)  # (count, heads, length)
        mixed.append((weights.unsqueeze(-1) * value).sum(2).flatten(1))
    return torch.cat([*mixed, query[:0]])
