"""DIN (Zhou et al., KDD 2018, sections 4.3 and 5.2), with Dice as in evaluation: running statistics."""

from collections.abc import Sequence

import numpy as np

from reference.math import Array, Weights, dice, linear, mlp, under
from reference.shared import News, Reader, deep_logits


def logits(weights: Weights, news: Sequence[News], reader: Reader, candidates: Sequence[int]) -> list[float]:
    """`s = MLP([v_U(c); c])`."""
    return deep_logits(weights, news, reader, candidates, user_vector, dice)


def user_vector(weights: Weights, clicks: Sequence[Array], candidate: Array) -> Array:
    """`v_U(c) = sum_h a(h, c) h` (equation 3), `a = MLP([c; h; c - h; c * h])`, without a softmax."""
    total = np.zeros(len(candidate))
    for click in clicks:
        pair = np.concatenate([candidate, click, candidate - click, candidate * click])
        total = total + linear(under(weights, "weight"), mlp(under(weights, "hidden"), pair, dice))[0] * click
    return total
