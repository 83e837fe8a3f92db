"""Gradients summed over the processes of torch's default group: dense ones as one vector, sparse ones row by row."""

from collections.abc import Sequence
from typing import Final

import torch
import torch.distributed as dist
from torch import Tensor, nn

_NONE, _DENSE, _SPARSE = 0, 1, 2
_FIGURES: Final = torch.float64


def add_gradients(weights: Sequence[nn.Parameter], figures: Sequence[float]) -> list[float]:
    """Replace each weight's gradient by the sum of everybody's; a weight that has none anywhere has none afterwards.

    The sums are the same to the last bit everywhere, so that the weights stay equal.

    Args:
        weights: the same on every process, with the same values.

    Returns:
        The sums of the figures.
    """
    kinds = [_NONE if weight.grad is None else _SPARSE if weight.grad.is_sparse else _DENSE for weight in weights]
    own = {number: _coalesced(weights[number]) for number, kind in enumerate(kinds) if kind == _SPARSE}
    counts = [own[number]._nnz() if number in own else 0 for number in range(len(weights))]
    told = _gathered(torch.tensor([*figures, *kinds, *counts], dtype=_FIGURES))  # (processes, F + 2 W)
    everywhere = told[:, len(figures) : len(figures) + len(weights)].amax(0).tolist()
    rows = told[:, len(figures) + len(weights) :].long()  # (processes, W)
    _add_dense([weight for weight, kind in zip(weights, everywhere, strict=True) if kind == _DENSE])
    sparse = [number for number, kind in enumerate(everywhere) if kind == _SPARSE]
    if sparse:
        _add_sparse([weights[number] for number in sparse], [own.get(number) for number in sparse], rows[:, sparse])
    return [float(total) for total in told[:, : len(figures)].sum(0)]


def _add_dense(weights: Sequence[nn.Parameter]) -> None:
    if not weights:
        return
    flat = torch.cat([(torch.zeros_like(each) if each.grad is None else each.grad).flatten() for each in weights])
    dist.all_reduce(flat)
    for weight, gradient in zip(weights, _cut(flat, [weight.numel() for weight in weights]), strict=True):
        weight.grad = gradient.view_as(weight)


def _add_sparse(weights: Sequence[nn.Parameter], own: Sequence[Tensor | None], counts: Tensor) -> None:
    """`counts` (processes, W): how many rows each process has of each weight."""
    device, dtype = weights[0].device, weights[0].dtype
    ids = [each.indices()[0] for each in own if each is not None]
    values = [each.values().flatten() for each in own if each is not None]
    widths = torch.tensor([weight[0].numel() for weight in weights])
    all_ids = _ragged(ids, counts.sum(1).tolist(), torch.int64, device)
    all_values = _ragged(values, (counts * widths).sum(1).tolist(), dtype, device)
    ids_of = [_cut(part, count) for part, count in zip(all_ids, counts.tolist(), strict=True)]
    values_of = [_cut(part, size) for part, size in zip(all_values, (counts * widths).tolist(), strict=True)]
    for number, weight in enumerate(weights):
        indices = torch.cat([part[number] for part in ids_of])[None]  # (1, rows)
        rows = torch.cat([part[number] for part in values_of]).view(-1, *weight.shape[1:])
        weight.grad = torch.sparse_coo_tensor(indices, rows, weight.shape, check_invariants=False).coalesce()


def _ragged(parts: Sequence[Tensor], lengths: Sequence[int], dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    """Everybody's parts joined, by rank; of the given lengths in all."""
    padded = torch.zeros(max(1, *lengths), dtype=dtype, device=device)
    if parts:
        joined = torch.cat(list(parts))
        padded[: len(joined)] = joined
    return [row[:length] for row, length in zip(_gathered(padded), lengths, strict=True)]


def _cut(values: Tensor, lengths: Sequence[int]) -> tuple[Tensor, ...]:
    """Consecutive pieces of these lengths."""
    pieces: tuple[Tensor, ...] = torch.split(values, list(lengths))
    return pieces


def _gathered(values: Tensor) -> Tensor:
    """(N,) -> (processes, N)"""
    everybody = [torch.empty_like(values) for _ in range(dist.get_world_size())]
    dist.all_gather(everybody, values)
    return torch.stack(everybody)


def _coalesced(weight: nn.Parameter) -> Tensor:
    assert weight.grad is not None
    return weight.grad.coalesce()
