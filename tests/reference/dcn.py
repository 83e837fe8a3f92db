"""DCN (Wang et al., ADKDD 2017, section 2), over the mean of the clicks and the fields of the candidate."""

from collections.abc import Sequence

import numpy as np

from reference.math import Array, Weights, linear, mlp, relu, under
from reference.shared import News, Reader, pooled_user, ranking_fields, zeros_for_none


def logits(weights: Weights, news: Sequence[News], reader: Reader, candidates: Sequence[int]) -> list[float]:
    """`s = w^T [x_L; h_L] + b` (section 2.4) with `x_0 = [u; f_1; ...; f_F]`."""
    user, own = pooled_user(weights, news, reader), under(weights, "interaction")
    scores = []
    for position in candidates:
        start = np.concatenate([user, *zeros_for_none(weights, ranking_fields(weights, news[position]))])
        both = np.concatenate([crossed(under(own, "cross"), start), mlp(under(own, "deep"), start, relu)])
        scores.append(float(linear(under(own, "output"), both)[0]))
    return scores


def crossed(weights: Weights, start: Array) -> Array:
    """`x_{l+1} = x_0 x_l^T w_l + b_l + x_l` (equation 3), with the outer product written out."""
    x, layer = start, 0
    while f"weights.{layer}" in weights:
        x = np.outer(start, x) @ weights[f"weights.{layer}"] + weights[f"biases.{layer}"] + x
        layer += 1
    return x
