"""Interest fusion (GENRE, arXiv 2305.06566, equations 1 and 2)."""

from collections.abc import Sequence

import numpy as np

from reference.math import Array, Weights, linear, mean, relu, under


def fused(weights: Weights, user: Array, topics: Sequence[int], regions: Sequence[int]) -> Array:
    """`v_iu = MLP([v_u; v_i])` (equation 2), with ReLU; a model without the module keeps `v_u`."""
    own = under(weights, "fusion")
    if not own:
        return user
    joined = np.concatenate([user, _pooled(own, "topics", topics), _pooled(own, "regions", regions)])
    hidden = relu({}, linear(under(own, "mlp.0"), joined))
    return linear(under(own, "mlp.2"), hidden)


def _pooled(weights: Weights, kind: str, ids: Sequence[int]) -> Array:
    """A half of `v_i = [POOL(E_topics); POOL(E_regions)]` (equation 1); a vector of its own for a reader without."""
    if not ids:
        return weights[f"missing.{kind}"]
    table = weights[f"embeddings.{kind}.weight"]
    return mean([table[each] for each in ids], table.shape[1])
