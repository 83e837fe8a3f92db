"""What suites of modules share: inputs of declared shapes (padding at the end), and torch's random state."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from genre.testing.check import Check, checks_of

_FURTHER: int = 3


@contextmanager
def random_state(seed: int) -> Iterator[None]:
    """Within it torch draws as from this seed; behind it the caller's random state is what it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed accelerators too, for good
        yield


def seeded_checks_of(*laws: object) -> list[Check]:
    """`checks_of` each of these, every check in a random state of its own."""
    return [Check(check.name, _seeded(check.run)) for each in laws for check in checks_of(each)]


def _seeded(run: Callable[[], None]) -> Callable[[], None]:
    def seeded() -> None:
        with random_state(0):
            run()

    return seeded


def dense(gradient: Tensor) -> Tensor:
    """The gradient without what only embeddings have: a list of the rows that it touches."""
    return gradient.to_dense() if gradient.is_sparse else gradient


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
