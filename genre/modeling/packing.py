"""Sequences without padding: what reads words or clicks does no work on positions that hold none.

On a CPU most of a padded batch is padding, and an operation costs what it touches. Rows of all sequences lie one after
another; sequences of one length lie side by side and are a rectangle, so that nothing needs a mask.
"""

from collections.abc import Iterator
from typing import Any, Self

import attrs
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


@attrs.frozen(eq=False)
class Packing:
    """Where B padded sequences (B, L) are when P of their positions are kept, the shorter sequences first.

    Attributes:
        index: which of the B L positions each packed row is (P,).
        rank: where each sequence stands among all B (B,); the empty ones are first.
        groups: number and length of the sequences of each length, but of the empty ones.
        empty: sequences without any position.
    """

    index: Tensor
    rank: Tensor
    groups: tuple[tuple[int, int], ...]
    empty: int

    @classmethod
    def of(cls, mask: Tensor) -> Self:
        """What a mask (B, L) marks."""
        width = mask.shape[1]
        lengths = mask.sum(-1)
        order = lengths.argsort(stable=True)  # (B,)
        positions = torch.arange(mask.numel(), device=mask.device).view_as(mask)
        counts = torch.bincount(lengths, minlength=width + 1).tolist()
        rank = torch.empty_like(order)
        rank[order] = torch.arange(len(order), device=mask.device)
        groups = tuple((count, length) for length, count in enumerate(counts) if count and length)
        return cls(positions[order][mask[order]], rank, groups, counts[0])

    def pack(self, values: Tensor) -> Tensor:
        """(B, L, ...) -> (P, ...)"""
        return values.flatten(0, 1).index_select(0, self.index)

    def spread(self, pooled: Tensor) -> Tensor:
        """One row for each sequence that is not empty, as they are packed, (G, D) -> (B, D); zero for empty ones."""
        if self.empty:
            pooled = F.pad(pooled, (0, 0, self.empty, 0))
        return pooled.index_select(0, self.rank)

    def first(self) -> Tensor:
        """Packed row of each sequence's first position, sequences as they are packed (G,)."""
        starts = torch.arange(len(self.index), device=self.index.device)
        return torch.cat([*(view[:, 0] for (view,) in self.views(starts)), starts[:0]])

    def views(self, *packed: Tensor) -> Iterator[tuple[Tensor, ...]]:
        """Rectangles (count, length, ...) of packed rows (P, ...), group by group."""
        start = 0
        for count, length in self.groups:
            end = start + count * length
            yield tuple(rows[start:end].view(count, length, *rows.shape[1:]) for rows in packed)
            start = end


def packs(mask: Tensor) -> bool:
    """Whether sequences that a mask (B, L) tells of are better packed. A compiler cannot follow what depends on it."""
    return mask.device.type == "cpu" and not torch.compiler.is_compiling()


def kept_positions(mask: Tensor) -> Tensor:
    """Which of the flattened positions of a mask (B, L) are to be worked on (N,): all that it marks, or just all."""
    flat = mask.flatten()
    return flat.nonzero().squeeze(1) if packs(mask) else torch.arange(len(flat), device=mask.device)


def softmax(logits: Tensor) -> Tensor:
    """Softmax over the last axis. On a CPU that of torch takes ten times as long on rows as short as these."""
    if logits.device.type != "cpu" or not logits.shape[-1]:
        return torch.softmax(logits, dim=-1)
    weights = (logits - logits.amax(-1, keepdim=True)).exp_()
    return weights / weights.sum(-1, keepdim=True)


def softmax_backward(gradient: Tensor, weights: Tensor) -> Tensor:
    """From the gradient of a softmax's result to that of its argument; both are over the last axis."""
    gradient = gradient * weights
    return gradient.sub_(weights * gradient.sum(-1, keepdim=True))


def packed_softmax(logits: Tensor, packing: Packing) -> Tensor:
    """(P,) -> (P,): softmax over each sequence."""
    weights: Tensor = _PackedSoftmax.apply(logits, packing)  # type: ignore[no-untyped-call]
    return weights


def packed_sum(values: Tensor, weights: Tensor, packing: Packing) -> Tensor:
    """(P, D), (P,) -> (B, D): the weighted sum of each sequence; zero for empty ones."""
    pooled: Tensor = _PackedSum.apply(values, weights, packing)  # type: ignore[no-untyped-call]
    return packing.spread(pooled)


def packed_mean(values: Tensor, packing: Packing) -> Tensor:
    """(P, D) -> (B, D): the mean of each sequence; zero for empty ones."""
    shares = [values.new_full((count * length,), 1.0 / length) for count, length in packing.groups]
    return packed_sum(values, torch.cat([*shares, values.new_empty(0)]), packing)


def shifted_sum(added: Tensor, packing: Packing) -> Tensor:
    """What each row receives from those around it in its sequence (P, K, D) -> (P, D), K odd.

    Row t receives `added[t + k - K // 2, k]` for each k, where that is a row of the same sequence: a convolution of
    width K whose products are made already.
    """
    received: Tensor = _ShiftedSum.apply(added, packing)  # type: ignore[no-untyped-call]
    return received


class _PackedSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, packing: Packing) -> Tensor:
        weights = torch.empty_like(logits)
        for given, out in packing.views(logits, weights):
            out.copy_(softmax(given))
        ctx.save_for_backward(weights)
        ctx.packing = packing
        return weights

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (weights,) = ctx.saved_tensors
        result = torch.empty_like(weights)
        for above, made, out in ctx.packing.views(gradient, weights, result):
            out.copy_(softmax_backward(above, made))
        return result, None


class _PackedSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, weights: Tensor, packing: Packing) -> Tensor:
        ctx.save_for_backward(values, weights)
        ctx.packing = packing
        sums = [(shares.unsqueeze(1) @ rows).squeeze(1) for rows, shares in packing.views(values, weights)]
        return torch.cat([*sums, values.new_empty(0, values.shape[-1])])  # (G, D)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor | None, None]:
        values, weights = ctx.saved_tensors
        for_values, for_weights = torch.empty_like(values), torch.empty_like(weights)
        parts = torch.split(gradient, [count for count, _ in ctx.packing.groups])
        views = ctx.packing.views(values, weights, for_values, for_weights)
        for above, (rows, shares, for_rows, for_shares) in zip(parts, views, strict=True):
            torch.mul(shares.unsqueeze(-1), above.unsqueeze(1), out=for_rows)
            if ctx.needs_input_grad[1]:
                for_shares.copy_((rows @ above.unsqueeze(-1)).squeeze(-1))
        return for_values, for_weights if ctx.needs_input_grad[1] else None, None


class _ShiftedSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, added: Tensor, packing: Packing) -> Tensor:
        ctx.packing, ctx.width = packing, added.shape[1]
        received = added[:, added.shape[1] // 2].clone()
        for given, out in packing.views(added, received):
            for k, sources, targets in _shifts(added.shape[1], given.shape[1]):
                out[:, targets] += given[:, sources, k]
        return received

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        result = gradient.new_zeros(len(gradient), ctx.width, gradient.shape[1])
        result[:, ctx.width // 2] = gradient
        for above, out in ctx.packing.views(gradient, result):
            for k, sources, targets in _shifts(ctx.width, above.shape[1]):
                out[:, sources, k] = above[:, targets]
        return result, None


def _shifts(width: int, length: int) -> Iterator[tuple[int, slice, slice]]:
    """Each k but the middle one, which rows of a sequence it takes, and which rows receive them."""
    for k in range(width):
        shift = k - width // 2
        if shift and abs(shift) < length:
            yield k, slice(max(shift, 0), length + min(shift, 0)), slice(max(-shift, 0), length + min(-shift, 0))
