"""PLM-NR (Wu et al., SIGIR 2021, section 2): NRMS whose texts a language model reads."""

from functools import partial

from reference import nrms
from reference.math import Array, Weights, additive_attention, linear, under
from reference.shared import News


def read_text(encoder: Weights, position: int, news: News, name: str) -> Array:
    """`W sum_i a_i h_i + b`: attention over the states that the language model made of the words."""
    pooled = additive_attention(under(encoder, f"pool.{position}"), list(news.states[name]))
    return linear(under(encoder, f"project.{position}"), pooled)


logits = partial(nrms.logits, read=read_text)
