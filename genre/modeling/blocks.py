"""Blocks that several parts are made of. Batch first; in eval mode no row depends on another row or on padding.

What reads sequences reads them padded, (B, L, D) with a mask, or packed, which is the same without the work on padding.
"""

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genre.errors import UsageError
from genre.modeling.dropout import Dropout
from genre.modeling.packed_attention import packed_attention
from genre.modeling.packing import Packing, packed_mean, packed_softmax, packed_sum, packs, shifted_sum, softmax

Activation: TypeAlias = Literal["relu", "leaky-relu", "dice"]


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

    def packed(self, values: Tensor, packing: Packing) -> Tensor:
        """(P, D) -> (B, D)"""
        logits = self.query(torch.tanh(self.project(values))).squeeze(-1)  # (P,)
        return packed_sum(values, packed_softmax(logits, packing), packing)


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
        width = self.output.in_features
        projected = self.project(values).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = projected.permute(2, 0, 3, 1, 4)  # 3 x (B, heads, L, inner / heads)
        bias = torch.zeros_like(mask, dtype=values.dtype).masked_fill(~mask, _never(values))[:, None, None, :]
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        mixed = mixed.transpose(1, 2).reshape(batch, length, width)
        attended: Tensor = (values + self.output(mixed)) * mask.unsqueeze(-1)
        return attended

    def packed(self, values: Tensor, packing: Packing) -> Tensor:
        """(P, D) -> (P, D)"""
        attended: Tensor = self.output(packed_attention(self.project(values), packing, self.heads)).add_(values)
        return attended


class SequenceReader(nn.Module):
    """Makes one vector of a sequence. A reader says how twice, packed and padded, and both give the same.

    On a CPU sequences are packed. An accelerator does padding's work at once, and would wait for their lengths.
    """

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """(B, L, D), (B, L) -> (B, D); zero where all is masked."""
        if not packs(mask):
            return self.padded(values, mask)
        packing = Packing.of(mask)
        return self.packed(packing.pack(values), packing)

    def padded(self, values: Tensor, mask: Tensor) -> Tensor:
        """(B, L, D), (B, L) -> (B, D); zero where all is masked."""
        raise NotImplementedError

    def packed(self, values: Tensor, packing: Packing) -> Tensor:
        """(P, D) -> (B, D); zero for empty sequences."""
        raise NotImplementedError


class SelfAttentivePooling(SequenceReader):
    """Self-attention, then additive attention: how NRMS reads a title (words) and a reader (clicked news)."""

    def __init__(self, dim: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.attend = SelfAttention(dim, heads)
        self.pool = AdditiveAttention(dim, hidden)
        self.dropout = Dropout(dropout)

    def padded(self, values: Tensor, mask: Tensor) -> Tensor:
        """(B, L, D), (B, L) -> (B, D); zero where all is masked."""
        pooled: Tensor = self.pool(self.dropout(self.attend(values, mask)), mask)
        return pooled

    def packed(self, values: Tensor, packing: Packing) -> Tensor:
        """(P, D) -> (B, D); zero for empty sequences."""
        return self.pool.packed(self.dropout(self.attend.packed(values, packing)), packing)


class ConvolutionalPooling(SequenceReader):
    """Convolution over neighbouring tokens with ReLU, then additive attention: how NAML and LSTUR read a text.

    Beyond both ends of a text is zero, whether there is padding or nothing.
    """

    def __init__(self, dim: int, kernel: int, hidden: int, dropout: float) -> None:
        """
        Raises:
            UsageError: the kernel is even, so that it has no middle.
        """
        super().__init__()
        if kernel % 2 == 0:
            raise UsageError(f"the kernel {kernel} is even", remedy="choose an odd one, such as 3")
        self.convolve = nn.Conv1d(dim, dim, kernel, padding=kernel // 2)
        self.dropout = Dropout(dropout)
        self.pool = AdditiveAttention(dim, hidden)

    def padded(self, values: Tensor, mask: Tensor) -> Tensor:
        """(B, L, D), (B, L) -> (B, D); zero where all is masked."""
        seen = values.masked_fill(~mask.unsqueeze(-1), 0.0)
        contexts = torch.relu(self.convolve(seen.transpose(1, 2)).transpose(1, 2))  # (B, L, D)
        pooled: Tensor = self.pool(self.dropout(contexts), mask)
        return pooled

    def packed(self, values: Tensor, packing: Packing) -> Tensor:
        """(P, D) -> (B, D); zero for empty sequences."""
        taps = self.convolve.weight.permute(2, 0, 1)  # (K, D, D)
        bias = self.convolve.bias
        assert bias is not None
        # What each token adds to its neighbours is one product; then each receives what its neighbours add.
        added = F.linear(values, taps.flatten(0, 1)).view(len(values), *taps.shape[:2])  # (P, K, D)
        contexts = torch.relu(shifted_sum(added, packing) + bias)  # (P, D)
        return self.pool.packed(self.dropout(contexts), packing)


class MaskedMean(SequenceReader):
    """`masked_mean` as a module."""

    def padded(self, values: Tensor, mask: Tensor) -> Tensor:
        """(B, L, D), (B, L) -> (B, D); zero where all is masked."""
        return masked_mean(values, mask)

    def packed(self, values: Tensor, packing: Packing) -> Tensor:
        """(P, D) -> (B, D); zero for empty sequences."""
        return packed_mean(values, packing)


class Dice(nn.Module):
    """`p s + (1 - p) a s`, `p = sigmoid((s - E[s]) / sqrt(Var[s] + e))`, a learned for each unit (DIN, KDD 2018).

    In training the mean and variance are those of the batch's positions that are not masked; in evaluation they are
    running means, so that no row depends on another.
    """

    running_mean: Tensor
    running_variance: Tensor

    def __init__(self, dim: int, momentum: float = 0.1, epsilon: float = 1e-8) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(dim))
        self.momentum = momentum
        self.epsilon = epsilon
        self.register_buffer("running_mean", torch.zeros(dim))
        self.register_buffer("running_variance", torch.ones(dim))
        self.total: Callable[[Tensor], Tensor] = _alone
        """Sums over the processes that share a batch, gradients too; see `genre.modeling.distributed`."""

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """(..., D), (...) -> (..., D)"""
        mean, variance = self._statistics(values, mask) if self.training else (self.running_mean, self.running_variance)
        gate = torch.sigmoid((values - mean) * torch.rsqrt(variance + self.epsilon))
        activated: Tensor = values * (gate + (1.0 - gate) * self.alpha)
        return activated

    def _statistics(self, values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast(values.device.type, enabled=False):  # sums of many terms
            return self._sums(values.to(torch.promote_types(values.dtype, torch.float32)), mask)

    def _sums(self, values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        weights = mask.to(values.dtype).flatten()  # (P,)
        flat = values.flatten(0, -2)  # (P, D)
        count = self.total(weights.sum())
        weights = weights / count.clamp(min=1.0)
        mean = self.total(weights @ flat)
        variance = self.total(weights @ (flat - mean).square())
        with torch.no_grad():
            share = self.momentum * (count > 0)  # a batch without any position says nothing
            self.running_mean.lerp_(mean.detach(), share)
            self.running_variance.lerp_(variance.detach(), share)
        return mean, variance


def _alone(values: Tensor) -> Tensor:
    return values


class MLP(nn.Module):
    """Linear layers, each with an activation and dropout; the last layer of `widths` is activated too."""

    def __init__(
        self, dim: int, widths: Sequence[int], *, activation: Activation = "relu", dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [nn.Linear(before, after) for before, after in zip([dim, *widths[:-1]], widths, strict=True)]
        )
        self.activations = nn.ModuleList([_activation(activation, width) for width in widths])
        self.dropout = Dropout(dropout)

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """(..., D), (...) -> (..., last width); what is masked is computed, but counts in no statistic."""
        return self.activate(self.layers[0](values), mask)

    def activate(self, values: Tensor, mask: Tensor) -> Tensor:
        """(..., first width), (...) -> (..., last width): all but the first layer's product."""
        for number, activation in enumerate(self.activations):
            if number:
                values = self.layers[number](values)
            values = activation(values, mask) if isinstance(activation, Dice) else activation(values)
            values = self.dropout(values)
        return values


def _activation(name: Activation, width: int) -> nn.Module:
    return {"relu": nn.ReLU, "leaky-relu": nn.LeakyReLU}[name]() if name != "dice" else Dice(width)


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
    return softmax(logits.masked_fill(~mask, _never(logits))) * mask


def _never(like: Tensor) -> float:
    """The logit of what is masked. Finite, so that a row without anything gives no NaN; exp() of it is 0."""
    return torch.finfo(like.dtype).min


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """(..., L, D), (..., L) -> (..., D): the mean of what is not masked; 0 where all is."""
    weights = mask.to(values.dtype)
    weights = weights / weights.sum(-1, keepdim=True).clamp(min=1.0)
    return (weights.unsqueeze(-2) @ values).squeeze(-2)
