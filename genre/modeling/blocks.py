"""Blocks that several parts are made of. Batch first; in eval mode no row depends on another row or on padding."""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genre.errors import UsageError

_NEVER: Final = torch.finfo(torch.float32).min
"""Added to the logit of what is masked. Finite, so that a row without anything gives no NaN; exp() of it is 0."""


class AdditiveAttention(nn.Module):
    """Weighted mean `sum_l a_l x_l`, `a = softmax(q^T tanh(W x_l + b))` (Bahdanau et al., 2015; the pooling of NRMS).

    Zero where all is masked.
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.project = nn.Linear(dim, hidden)
        self.query = nn.Linear(hidden, 1, bias=False)

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """(..., L, D), (..., L) -> (..., D)"""
        logits = self.query(torch.tanh(self.project(values))).squeeze(-1)  # (..., L)
        weights = masked_softmax(logits, mask)
        pooled: Tensor = (weights.unsqueeze(-2) @ values).squeeze(-2)
        return pooled


class SelfAttention(nn.Module):
    """`x + MultiHead(x, x, x)`: scaled dot-product self-attention (Vaswani et al., 2017); zero where masked.

    The residual lets words and clicks through from the first step on; without it, learning starts epochs later.
    """

    def __init__(self, dim: int, heads: int, inner: int | None = None) -> None:
        """`dim` in and out; `inner` is the width of all heads together (default: `dim`).

        Raises:
            UsageError: the heads do not divide `inner`.
        """
        super().__init__()
        inner = inner or dim
        if inner % heads:
            raise UsageError(
                f"{heads} attention heads do not divide the width {inner}", remedy="choose a width that is a multiple"
            )
        self.heads = heads
        self.project = nn.Linear(dim, 3 * inner)
        self.output = nn.Linear(inner, dim)

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """(B, L, D), (B, L) -> (B, L, D)"""
        batch, length, _ = values.shape
        projected = self.project(values).view(batch, length, 3, self.heads, -1)
        query, key, value = projected.permute(2, 0, 3, 1, 4)  # 3 x (B, heads, L, inner / heads)
        bias = torch.zeros_like(mask, dtype=values.dtype).masked_fill(~mask, _NEVER)[:, None, None, :]
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        mixed = mixed.transpose(1, 2).reshape(batch, length, -1)
        attended: Tensor = (values + self.output(mixed)) * mask.unsqueeze(-1)
        return attended


class SelfAttentivePooling(nn.Module):
    """Self-attention, then additive attention: how NRMS reads a title (words) and a reader (clicked news)."""

    def __init__(self, dim: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.attend = SelfAttention(dim, heads)
        self.pool = AdditiveAttention(dim, hidden)
        self.dropout = nn.Dropout(dropout)

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """(B, L, D), (B, L) -> (B, D); zero where all is masked."""
        pooled: Tensor = self.pool(self.dropout(self.attend(values, mask)), mask)
        return pooled


class MLP(nn.Sequential):
    """Linear layers with ReLU and dropout between; the last layer of `widths` is activated too."""

    def __init__(self, dim: int, widths: Sequence[int], dropout: float = 0.0) -> None:
        layers: list[nn.Module] = []
        for before, after in zip([dim, *widths[:-1]], widths, strict=True):
            layers += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout)]
        super().__init__(*layers)


class CrossNetwork(nn.Module):
    """`x_{l+1} = x_0 (w_l^T x_l) + b_l + x_l`: feature crosses of bounded degree (DCN, equation 3)."""

    def __init__(self, dim: int, layers: int) -> None:
        super().__init__()
        self.weights = nn.ParameterList([nn.Parameter(torch.empty(dim)) for _ in range(layers)])
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(dim)) for _ in range(layers)])
        for weight in self.weights:
            nn.init.normal_(weight, std=dim**-0.5)

    def forward(self, values: Tensor) -> Tensor:
        """(..., D) -> (..., D)"""
        crossed = values
        for weight, bias in zip(self.weights, self.biases, strict=True):
            crossed = values * (crossed @ weight).unsqueeze(-1) + bias + crossed
        return crossed


def masked_softmax(logits: Tensor, mask: Tensor) -> Tensor:
    """Softmax over the last axis (..., L), 0 where masked; all 0 where all is masked."""
    return torch.softmax(logits.masked_fill(~mask, _NEVER), dim=-1) * mask


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """(..., L, D), (..., L) -> (..., D): the mean of what is not masked; 0 where all is."""
    weights = mask.to(values.dtype)
    weights = weights / weights.sum(-1, keepdim=True).clamp(min=1.0)
    return (weights.unsqueeze(-2) @ values).squeeze(-2)
