"""Inputs of declared shapes: rows of unequal length, padding at the end."""

import torch
from torch import Tensor

_FURTHER: int = 3


def generator(seed: int) -> torch.Generator:
    """A source of inputs."""
    return torch.Generator().manual_seed(seed)


def lengths_mask(lengths: list[int], width: int) -> Tensor:
    """(R, W), True for the first places of each row."""
    return torch.arange(width) < torch.tensor(lengths)[:, None]


def ragged_mask(rows: int, width: int, random: torch.Generator) -> Tensor:
    """(R, W); the first row is full, the others have at least one place."""
    lengths = torch.randint(1, width + 1, (rows,), generator=random)
    lengths[0] = width
    return lengths_mask(lengths.tolist(), width)


def wider(values: Tensor, mask: Tensor, filler: Tensor) -> tuple[Tensor, Tensor]:
    """More padding along the second axis, and `filler` (broadcast) in all of it."""
    more = values.new_zeros((values.shape[0], _FURTHER, *values.shape[2:]))
    wide = torch.cat([values, more], dim=1)
    wide_mask = torch.cat([mask, mask.new_zeros((mask.shape[0], _FURTHER))], dim=1)
    shown = wide_mask.reshape(*wide_mask.shape, *[1] * (values.dim() - 2))
    return torch.where(shown, wide, filler.to(values.dtype)), wide_mask


def without_first_rows(mask: Tensor) -> Tensor:
    """The mask with nothing in its first two rows."""
    emptied = mask.clone()
    emptied[:2] = False
    return emptied
