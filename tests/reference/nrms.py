"""NRMS (Wu et al., EMNLP 2019, section 2), with a residual around its self-attention and attention over fields."""

from collections.abc import Sequence
from functools import partial

from reference.math import Array, Weights, additive_attention, multi_head, under
from reference.shared import News, Reader, ReadText, attended_fields, matching_logits, words

HEADS = 8


def read_text(encoder: Weights, position: int, news: News, name: str) -> Array:
    """Of words to a text (section 2.1)."""
    return self_attentive(under(encoder, f"readers.{position}"), words(encoder, news, name))


def logits(
    weights: Weights, news: Sequence[News], reader: Reader, candidates: Sequence[int], read: ReadText = read_text
) -> list[float]:
    """`s = u^T r`, where clicked news are read as words are (sections 2.2 and 2.3)."""
    user = partial(self_attentive, under(weights, "user_encoder.read"))
    return matching_logits(weights, news, reader, candidates, partial(attended_fields, read=read), user)


def self_attentive(weights: Weights, vectors: Sequence[Array]) -> Array:
    """`h = x + MultiHead(x)` (equations 1 and 2), then additive attention (equations 3 and 4); zero for none."""
    attend, pool = under(weights, "attend"), under(weights, "pool")
    if not vectors:
        return additive_attention(pool, [])
    mixed = multi_head(under(attend, "project"), under(attend, "output"), vectors, HEADS)
    return additive_attention(pool, [x + each for x, each in zip(vectors, mixed, strict=True)])
