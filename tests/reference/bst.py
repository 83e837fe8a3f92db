"""BST (Chen et al., DLP-KDD 2019, section 2), normalising before each layer and reading the candidate's output."""

from collections.abc import Sequence

from reference.math import Array, Weights, layer_norm, leaky_relu, linear, multi_head, under
from reference.shared import News, Reader, deep_logits

HEADS = 4


def logits(weights: Weights, news: Sequence[News], reader: Reader, candidates: Sequence[int]) -> list[float]:
    """`s = MLP([u_c; c])` (section 2.3)."""
    return deep_logits(weights, news, reader, candidates, user_vector, leaky_relu)


def user_vector(weights: Weights, clicks: Sequence[Array], candidate: Array) -> Array:
    """The candidate's output; each news carries the embedding of its distance from the candidate (section 2.1).

    The latest click has distance 1; those beyond the table's end share its last row.
    """
    distances = weights["distances.weight"]
    sequence = [candidate + distances[0]]
    for i, click in enumerate(clicks):
        sequence.append(click + distances[min(len(clicks) - i, len(distances) - 1)])
    number = 0
    while layer := under(weights, f"transformer.layers.{number}"):
        sequence = block(layer, sequence)
        number += 1
    return sequence[0]


def block(weights: Weights, sequence: Sequence[Array]) -> list[Array]:
    """`s' = s + MultiHead(LN(s))`, `s'' = s' + FFN(LN(s'))` with LeakyReLU (equations 2 to 6)."""
    attention = under(weights, "self_attn")
    projection = {"weight": attention["in_proj_weight"], "bias": attention["in_proj_bias"]}
    normed = [layer_norm(under(weights, "norm1"), x) for x in sequence]
    mixed = multi_head(projection, under(attention, "out_proj"), normed, HEADS)
    outputs = []
    for x, each in zip(sequence, mixed, strict=True):
        inner = leaky_relu({}, linear(under(weights, "linear1"), layer_norm(under(weights, "norm2"), x + each)))
        outputs.append(x + each + linear(under(weights, "linear2"), inner))
    return outputs
