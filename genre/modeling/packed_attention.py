"""Self-attention over packed sequences, forward and backward, without a copy of padding.

The attention of torch has a cost for each sequence and head, which with a dozen words is most of it. Here all sequences
of a length are one batched product.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from genre.modeling.packing import Packing, softmax, softmax_backward


def packed_attention(projected: Tensor, packing: Packing, heads: int) -> Tensor:
    """Scaled dot-product attention of each sequence to itself (Vaswani et al., 2017).

    Args:
        projected: queries, keys and values side by side (P, 3 E).

    Returns:
        (P, E), E the width of all heads together.
    """
    mixed: Tensor = _PackedAttention.apply(projected, packing, heads)  # type: ignore[no-untyped-call]
    return mixed


class _PackedAttention(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, projected: Tensor, packing: Packing, heads: int) -> Tensor:
        width = projected.shape[1] // 3
        scale = (width // heads) ** -0.5
        mixed = projected.new_empty(len(projected), width)
        saved = []
        for given, out in packing.views(projected, mixed):
            query, key, value = _by_head(given, 3, heads)  # each (count heads, length, E / heads)
            weights = softmax((query @ key.transpose(1, 2)).mul_(scale))
            _put(out, (weights @ value).unsqueeze(0), heads)
            if ctx.needs_input_grad[0]:
                saved += [query, key, value, weights]
        ctx.save_for_backward(*saved)
        ctx.packing, ctx.heads, ctx.scale = packing, heads, scale
        return mixed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        heads, saved = ctx.heads, ctx.saved_tensors
        result = gradient.new_empty(len(gradient), 3 * gradient.shape[1])
        for number, (given, out) in enumerate(ctx.packing.views(gradient.contiguous(), result)):
            query, key, value, weights = saved[4 * number : 4 * number + 4]
            above = _by_head(given, 1, heads)[0]
            for_logits = softmax_backward(above @ value.transpose(1, 2), weights).mul_(ctx.scale)
            gradients = query.new_empty(3, *query.shape)
            torch.bmm(for_logits, key, out=gradients[0])
            torch.bmm(for_logits.transpose(1, 2), query, out=gradients[1])
            torch.bmm(weights.transpose(1, 2), above, out=gradients[2])
            _put(out, gradients, heads)
        return result, None, None


def _by_head(rows: Tensor, parts: int, heads: int) -> Tensor:
    """(count, length, parts E) -> (parts, count heads, length, E / heads)"""
    count, length, _ = rows.shape
    return rows.view(count, length, parts, heads, -1).permute(2, 0, 3, 1, 4).reshape(parts, count * heads, length, -1)


def _put(out: Tensor, by_head: Tensor, heads: int) -> None:
    """Write (parts, count heads, length, E / heads) to (count, length, parts E)."""
    count, length, _ = out.shape
    parts = len(by_head)
    by_head = by_head.view(parts, count, heads, length, -1)
    out.view(count, length, parts, heads, -1).permute(2, 0, 3, 1, 4).copy_(by_head)
