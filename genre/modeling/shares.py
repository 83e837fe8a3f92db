"""Batches in parts, whose gradients add up to that of the whole batch: for several processes, or for little memory."""

from collections.abc import Iterator, Sequence

import attrs
import torch

from genre.modeling.batches import Batch, Drawn, GroupSampler
from genre.modeling.losses import terms


@attrs.frozen(eq=False)
class Share:
    """Some groups of a batch.

    Attributes:
        factor: the losses of the parts, times their factors, add up to the loss of the batch. With the factor 0 all
            candidates are masked.
    """

    batch: Batch
    factor: float


def shares(
    sampler: GroupSampler, loss: str, epoch: int, *, first: int, count: int, chosen: range
) -> Iterator[Sequence[Share]]:
    """Some of the `count` parts of each batch of an epoch, from the batch `first` (from 0) on.

    Args:
        loss: its name in `genre.modeling.losses.LOSSES`.
        chosen: which parts.
    """
    for drawn in sampler.draws(epoch, first=first):
        yield [_share(sampler, loss, drawn, part, count) for part in chosen]


def _share(sampler: GroupSampler, loss: str, drawn: Drawn, part: int, count: int) -> Share:
    impressions, candidates, mask = drawn
    groups = len(impressions)
    some = slice(groups * part // count, groups * (part + 1) // count)
    if some.start < some.stop:
        factor = terms(loss, mask[some]) / terms(loss, mask)
        return Share(sampler.collate(impressions[some], candidates[some], mask[some]), factor)
    # A model needs something to read: a group that another part has, without any say.
    batch = sampler.collate(impressions[:1], candidates[:1], mask[:1])
    return Share(attrs.evolve(batch, mask=torch.zeros_like(batch.mask)), 0.0)
