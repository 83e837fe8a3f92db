"""LSTUR (An et al., ACL 2019, section 3); its texts are read as NAML's."""

from collections.abc import Sequence
from functools import partial
from typing import Literal

import numpy as np

from reference.math import Array, Weights, gru_cell, linear, under
from reference.naml import read_text
from reference.shared import News, Reader, matching_fields, matching_logits, zeros_for_none

Mode = Literal["ini", "con"]


def logits(
    weights: Weights, news: Sequence[News], reader: Reader, candidates: Sequence[int], mode: Mode = "ini"
) -> list[float]:
    """`s = u^T e`"""
    user = partial(user_vector, under(weights, "user_encoder"), reader.user, mode)
    return matching_logits(weights, news, reader, candidates, news_vector, user)


def user_vector(weights: Weights, reader: int, mode: Mode, clicks: Sequence[Array]) -> Array:
    """`h_i = GRU(e_i, h_(i-1))`; `h_0 = u_l, u = h_H` (LSTUR-ini) or `h_0 = 0, u = [h_H; u_l]` (LSTUR-con), where a
    user who was not seen in training has `u_l = 0` (section 3.2)."""
    table = weights["users.weight"]
    user = table[reader] if reader else np.zeros(table.shape[1])
    state = user if mode == "ini" else np.zeros_like(user)
    for click in clicks:
        state = gru_cell(under(weights, "read"), click, state)
    return state if mode == "ini" else np.concatenate([state, user])


def news_vector(weights: Weights, news: News) -> Array:
    """The views, concatenated (section 3.1) and projected to the width of all vectors."""
    views = zeros_for_none(weights, matching_fields(weights, news, read_text))
    return linear(under(weights, "news_tower.news_encoder.project"), np.concatenate(views))
