"""Elementary pieces, of single vectors and lists of vectors."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Weights: TypeAlias = Mapping[str, Array]
Activation: TypeAlias = Callable[[Weights, Array], Array]


def under(weights: Weights, prefix: str) -> Weights:
    """The weights of one part, by the rest of their names."""
    return {name.removeprefix(f"{prefix}."): value for name, value in weights.items() if name.startswith(f"{prefix}.")}


def linear(weights: Weights, x: Array) -> Array:
    """`W x + b`, or `W x`."""
    return weights["weight"] @ x + weights.get("bias", np.zeros(1))


def softmax(scores: Sequence[float]) -> Array:
    """`exp(s_i) / sum_j exp(s_j)`"""
    powers = np.exp(np.array(scores) - max(scores))
    return powers / powers.sum()


def sigmoid(x: Array) -> Array:
    """`1 / (1 + exp(-x))`"""
    return 1.0 / (1.0 + np.exp(-x))


def mean(vectors: Sequence[Array], dim: int) -> Array:
    """`1/n sum_i x_i`, zero for none."""
    return sum(vectors, np.zeros(dim)) / max(len(vectors), 1)


def weighted_sum(shares: Array, vectors: Sequence[Array]) -> Array:
    """`sum_i a_i x_i`"""
    return sum((a * x for a, x in zip(shares, vectors, strict=True)), np.zeros(len(vectors[0])))


def relu(_: Weights, x: Array) -> Array:
    """`max(x, 0)`"""
    return np.array([max(value, 0.0) for value in x])


def leaky_relu(_: Weights, x: Array) -> Array:
    """`x`, or `0.01 x` below zero."""
    return np.array([value if value > 0.0 else 0.01 * value for value in x])


def dice(weights: Weights, s: Array) -> Array:
    """`p s + (1 - p) a s`, `p = 1 / (1 + exp(-(s - E[s]) / sqrt(Var[s] + e)))` (DIN, section 5.2), `e = 1e-8`."""
    p = sigmoid((s - weights["running_mean"]) / np.sqrt(weights["running_variance"] + 1e-8))
    return p * s + (1.0 - p) * weights["alpha"] * s


def layer_norm(weights: Weights, x: Array) -> Array:
    """`g (x - E[x]) / sqrt(Var[x] + e) + b` (Ba et al., 2016), `e = 1e-5`."""
    centred = x - x.sum() / len(x)
    variance = (centred**2).sum() / len(x)
    return weights["weight"] * centred / np.sqrt(variance + 1e-5) + weights["bias"]


def mlp(weights: Weights, x: Array, activation: Activation) -> Array:
    """`x_{l+1} = f(W_l x_l + b_l)`, the last layer too."""
    layer = 0
    while f"layers.{layer}.weight" in weights:
        x = activation(under(weights, f"activations.{layer}"), linear(under(weights, f"layers.{layer}"), x))
        layer += 1
    return x


def additive_attention(weights: Weights, vectors: Sequence[Array]) -> Array:
    """`sum_i a_i x_i` with `a = softmax(q^T tanh(V x_i + v))` (NRMS, equations 3 and 4); zero for none."""
    project, query = under(weights, "project"), weights["query.weight"][0]
    if not vectors:
        return np.zeros(project["weight"].shape[1])
    return weighted_sum(softmax([query @ np.tanh(linear(project, x)) for x in vectors]), vectors)


def multi_head(projection: Weights, output: Weights, vectors: Sequence[Array], heads: int) -> list[Array]:
    """`W_O [head_1; ...] + b`, `head_k(i) = sum_j softmax_j(q_i^T k_j / sqrt(d_k)) v_j` (Vaswani et al., 2017,
    equation 1 and section 3.2.2). The projection's rows are all queries, then all keys, then all values."""
    queries, keys, values = zip(*(np.split(linear(projection, x), 3) for x in vectors), strict=True)
    outputs = []
    for query in queries:
        made = []
        for own in np.split(np.arange(len(query)), heads):
            shares = softmax([query[own] @ key[own] / np.sqrt(len(own)) for key in keys])
            made.append(weighted_sum(shares, [value[own] for value in values]))
        outputs.append(linear(output, np.concatenate(made)))
    return outputs


def convolution(weights: Weights, vectors: Sequence[Array]) -> list[Array]:
    """`sum_k F_k x_{i+k} + b` for k = -K..K, where what is beyond the ends is left out (NAML, equation 1)."""
    kernels = weights["weight"]  # (out, in, 2K + 1)
    reach = kernels.shape[2] // 2
    outputs = []
    for i in range(len(vectors)):
        total = weights["bias"].copy()
        for k in range(-reach, reach + 1):
            if 0 <= i + k < len(vectors):
                total += kernels[:, :, k + reach] @ vectors[i + k]
        outputs.append(total)
    return outputs


def gru_cell(weights: Weights, x: Array, h: Array) -> Array:
    """`h' = (1 - z) n + z h`, `n = tanh(W_n x + b_n + r (U_n h + c_n))` (Cho et al., 2014, with the reset gate after
    the product, as GRUs are commonly computed). The rows of W and U are those of r, z, n."""
    x_r, x_z, x_n = np.split(weights["weight_ih_l0"] @ x + weights["bias_ih_l0"], 3)
    h_r, h_z, h_n = np.split(weights["weight_hh_l0"] @ h + weights["bias_hh_l0"], 3)
    r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    return (1.0 - z) * np.tanh(x_n + r * h_n) + z * h
