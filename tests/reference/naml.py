"""NAML (Wu et al., IJCAI 2019, section 3)."""

from collections.abc import Sequence
from functools import partial

from reference.math import Array, Weights, additive_attention, convolution, relu, under
from reference.shared import News, Reader, attended_fields, matching_logits, words


def logits(weights: Weights, news: Sequence[News], reader: Reader, candidates: Sequence[int]) -> list[float]:
    """`u = sum_i a_i r_i` over the clicked news (section 3.2), `s = u^T r` (section 3.3)."""
    user = partial(additive_attention, under(weights, "user_encoder.pool"))
    return matching_logits(weights, news, reader, candidates, partial(attended_fields, read=read_text), user)


def read_text(encoder: Weights, position: int, news: News, name: str) -> Array:
    """`c_i = ReLU(F w_(i-K):(i+K) + b)` (equation 1), then attention over words."""
    reader = under(encoder, f"readers.{position}")
    contexts = [relu({}, each) for each in convolution(under(reader, "convolve"), words(encoder, news, name))]
    return additive_attention(under(reader, "pool"), contexts)
