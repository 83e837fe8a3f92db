# ruff: noqa: ARG002  the contracts pass more than every part uses
"""LSTUR (An et al., ACL 2019): a GRU over the clicks is the short-term interest, an embedding of the user the long-term
one."""

from typing import Literal

import attrs
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from genre.errors import UsageError
from genre.modeling.packing import packs
from genre_baselines.validators import is_ratio


@attrs.frozen(kw_only=True)
class LSTURUserOptions:
    """
    Attributes:
        long_term: how the user's embedding joins: `"ini"` starts the GRU, `"con"` is concatenated, half the width each.
        user_dropout: share of training rows whose user is hidden, so that the model can do without.
    """

    long_term: Literal["ini", "con"] = "ini"
    user_dropout: float = attrs.field(default=0.5, validator=is_ratio)


class LSTURUserEncoder(nn.Module):
    """`u = GRU(u_l; c_1..c_H)` (ini) or `[GRU(c_1..c_H); u_l]` (con).

    A user who was not seen in training has `u_l = 0`. An empty history leaves the GRU in its first state: the user's
    embedding (ini) or zero (con).
    """

    candidate_aware = False

    def __init__(self, options: LSTURUserOptions, *, dim: int, users: int) -> None:
        """
        Raises:
            UsageError: the width is odd and `con` halves it.
        """
        super().__init__()
        self.joins_at_start = options.long_term == "ini"
        if not self.joins_at_start and dim % 2:
            raise UsageError(f"the width {dim} is odd, and long_term = 'con' halves it", remedy="choose an even width")
        width = dim if self.joins_at_start else dim // 2
        self.user_dropout = options.user_dropout
        self.users = nn.Embedding(users, width, padding_idx=0, sparse=True)
        self.read = nn.GRU(dim, width, batch_first=True)
        with torch.no_grad():
            self.users.weight.mul_(0.1)  # like the vectors of news, which the GRU reads

    def forward(
        self, history: Tensor, mask: Tensor, user: Tensor, candidates: Tensor, candidate_mask: Tensor
    ) -> Tensor:
        """(B, H, D), (B, H), (B,) -> (B, 1, D)"""
        long_term = self._long_term(user)  # (B, width)
        start = long_term if self.joins_at_start else torch.zeros_like(long_term)
        short_term = self._last_state(history, mask, start).unsqueeze(1)  # (B, 1, width)
        if self.joins_at_start:
            return short_term
        return torch.cat([short_term, long_term.unsqueeze(1)], dim=-1)

    def _last_state(self, history: Tensor, mask: Tensor, start: Tensor) -> Tensor:
        """The GRU's state after a row's last click (B, width); `start` without any."""
        lengths = mask.sum(-1)
        if packs(mask):
            # An empty sequence cannot be packed: it is read as one click, and what came of it is not looked at.
            clicks = pack_padded_sequence(history, lengths.clamp(min=1), batch_first=True, enforce_sorted=False)
            _, last = self.read(clicks, start.unsqueeze(0))  # (1, B, width)
            return torch.where((lengths > 0).unsqueeze(-1), last[0], start)
        # Padding is at the end, so the state after a row's last click has not seen any.
        states, _ = self.read(history, start.unsqueeze(0).contiguous())  # (B, H, width)
        states = torch.cat([start.unsqueeze(1), states], dim=1)
        return states.gather(1, lengths[:, None, None].expand(-1, 1, states.shape[-1])).squeeze(1)

    def _long_term(self, user: Tensor) -> Tensor:
        embedded: Tensor = self.users(user)
        if not self.training:
            return embedded
        kept = torch.rand(user.shape[0], 1, device=user.device) >= self.user_dropout
        return embedded * kept
