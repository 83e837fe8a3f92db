"""PNN (Qu et al., ICDM 2016, section III), over the fields of the candidate and the mean of the clicks as one more."""

from collections.abc import Sequence

import numpy as np

from reference.math import Array, Weights, linear, mlp, relu, under
from reference.shared import News, Reader, pooled_user, ranking_fields, zeros_for_none


def logits(
    weights: Weights, news: Sequence[News], reader: Reader, candidates: Sequence[int], *, outer: bool = False
) -> list[float]:
    """`s = w^T MLP([z; p]) + b`: z all fields, p their products."""
    user, own = pooled_user(weights, news, reader), under(weights, "interaction")
    scores = []
    for position in candidates:
        fields = [user, *zeros_for_none(weights, ranking_fields(weights, news[position]))]
        products = outer_product(fields) if outer else inner_products(fields)
        hidden = mlp(under(own, "hidden"), np.concatenate([*fields, products]), relu)
        scores.append(float(linear(under(own, "output"), hidden)[0]))
    return scores


def inner_products(fields: Sequence[Array]) -> Array:
    """`<f_i, f_j>` for i <= j (IPNN, section III-B)."""
    return np.array([fields[i] @ fields[j] for i in range(len(fields)) for j in range(i, len(fields))])


def outer_product(fields: Sequence[Array]) -> Array:
    """`sum_i sum_j f_i f_j^T`, which the paper superposes to `(sum_i f_i) (sum_j f_j)^T` (OPNN, section III-C)."""
    return sum(np.outer(first, second) for first in fields for second in fields).ravel()
