"""Data-parallel training: each process takes a part of every batch, and gradients are summed before each step.

All processes draw the same batches from the same seed, so that nothing of the data is sent. With dropout off, the
losses are those of one process, up to the order of additions.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

import numpy as np
import torch
import torch.distributed as dist

# Its functions take the default group of the time of their import for a default. Imported later, they would keep it
# from being destroyed: gloo's threads then outlive the interpreter now and then, which aborts the process at its end.
import torch.distributed.nn
from torch import Tensor, nn

from genre.errors import GenreError, RunError, UsageError
from genre.modeling.batches import GroupSampler
from genre.modeling.blocks import Dice
from genre.modeling.devices import device_of
from genre.modeling.evaluation import Evaluation, evaluation_of
from genre.modeling.features import Features, SplitFeatures
from genre.modeling.gradients import add_gradients
from genre.modeling.recommender import Recommender
from genre.modeling.scoring import score_split
from genre.modeling.settings import EvaluationSettings
from genre.modeling.shares import Share, shares
from genre.modeling.training_checkpoint import TrainingCheckpoint

PATIENCE: Final = timedelta(hours=12)
"""How long a process waits for another that is alive: one of them may prepare the features of a large data set."""


def launched() -> bool:
    """Whether torchrun started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


@contextmanager
def process_group() -> Iterator["ProcessGroup"]:
    """The processes that torchrun started together, until the block ends: gloo for CPUs, NCCL for GPUs."""
    dist.init_process_group(timeout=PATIENCE)
    try:
        yield ProcessGroup()
    finally:
        dist.destroy_process_group()


class ProcessGroup:
    """The processes of torch's default group; see `genre.modeling.processes.Processes`."""

    def __init__(self) -> None:
        self.rank = dist.get_rank()
        self.size = dist.get_world_size()

    @contextmanager
    def first_in_turn(self) -> Iterator[None]:
        """Rank 0 first, then the others."""
        if self.rank:
            dist.barrier()
        try:
            yield
        finally:  # after an error, too: the others find it themselves
            if not self.rank:
                dist.barrier()

    @contextmanager
    def joined(self, recommender: Recommender, /) -> Iterator[None]:
        """Weights are those of rank 0, and `Dice` sees the whole batch."""
        if (device := device_of(recommender)).type == "cuda":
            torch.cuda.set_device(device)  # which NCCL uses
        for value in recommender.state_dict().values():
            dist.broadcast(value, 0)
        parts = [module for module in recommender.modules() if isinstance(module, Dice)]
        alone = [part.total for part in parts]
        for part in parts:
            part.total = _total
        try:
            yield
        finally:
            for part, total in zip(parts, alone, strict=True):
                part.total = total

    def batches(self, sampler: GroupSampler, loss: str, epoch: int, /, *, first: int) -> Iterator[Sequence[Share]]:
        """As many parts of each batch for each process."""
        own = sampler.settings.accumulate
        chosen = range(own * self.rank, own * (self.rank + 1))
        return shares(sampler, loss, epoch, first=first, count=own * self.size, chosen=chosen)

    def total(self, weights: Sequence[nn.Parameter], figures: Sequence[float], /) -> list[float]:
        """Gradients as if one process had seen the whole batch."""
        return add_gradients(weights, figures)

    def gathered(self, values: Tensor) -> tuple[Tensor, ...]:
        """Everybody's values, by rank."""
        everybody = [torch.empty_like(values) for _ in range(self.size)]
        dist.all_gather(everybody, values)
        return tuple(everybody)

    def from_first(self, make: Callable[[], TrainingCheckpoint | None]) -> TrainingCheckpoint | None:
        """What rank 0 makes, sent to the others: the file need not be on their machines.

        Raises:
            GenreError: what rank 0 raises, everywhere.
        """
        made: TrainingCheckpoint | None = None
        error: GenreError | None = None
        if not self.rank:
            try:
                made = make()
            except GenreError as raised:
                error = raised
        text, tensors = made.parts() if made else ("", {})
        described: dict[str, object] = {
            "error": error and [type(error).__name__, error.message, error.where, error.remedy],
            "text": text,
            "tensors": [[name, str(value.dtype), list(value.shape)] for name, value in tensors.items()],
        }
        header = json.loads(_sent_text(json.dumps(described)))
        if header["error"]:
            name, message, where, remedy = header["error"]
            raise (UsageError if name == UsageError.__name__ else RunError)(message, where=where, remedy=remedy)
        if not header["text"]:
            return None
        received = {name: _sent(tensors, name, dtype, shape) for name, dtype, shape in header["tensors"]}
        return made or TrainingCheckpoint.from_parts(header["text"], received, "the checkpoint of rank 0")

    def evaluate(
        self, recommender: Recommender, features: Features, split: str, settings: EvaluationSettings
    ) -> Evaluation:
        """Each process scores some of the impressions; the figures are made everywhere, from all scores."""
        rows = features.split(split)
        offsets = rows.candidates.offsets
        ends = np.searchsorted(offsets, offsets[-1] * np.arange(self.size + 1) / self.size)
        mine = _impressions(rows, ends[self.rank], ends[self.rank + 1])
        scores = torch.zeros(int(np.diff(offsets[ends]).max()))
        if len(mine.labels):
            own = score_split(recommender, features, mine, settings)
            scores[: len(own)] = torch.from_numpy(own)
        lengths = np.diff(offsets[ends]).tolist()
        parts = [part[:length] for part, length in zip(self.gathered(scores), lengths, strict=True)]
        return evaluation_of(features.dataset, rows, torch.cat(parts).numpy())


def _impressions(rows: SplitFeatures, start: int, end: int) -> SplitFeatures:
    """Some consecutive impressions of a split."""
    offsets = rows.candidates.offsets
    return SplitFeatures(
        impressions=rows.impressions[start:end],
        readers=rows.readers[start:end],
        candidates=rows.candidates.take(np.arange(start, end)),
        labels=rows.labels[offsets[start] : offsets[end]],
        labelled=rows.labelled[start:end],
    )


def _sent_text(text: str) -> str:
    """The text of rank 0."""
    content = torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8)
    length = torch.tensor(len(content))
    dist.broadcast(length, 0)
    if dist.get_rank():
        content = torch.empty(int(length), dtype=torch.uint8)
    dist.broadcast(content, 0)
    return bytes(content.numpy()).decode()


def _sent(tensors: Mapping[str, Tensor], name: str, dtype: str, shape: Sequence[int]) -> Tensor:
    """A tensor of rank 0."""
    kind: torch.dtype = getattr(torch, dtype.removeprefix("torch."))
    value = tensors[name].contiguous() if name in tensors else torch.empty(list(shape), dtype=kind)
    dist.broadcast(value, 0)
    return value


class _Sum(torch.autograd.Function):
    """Sum over the processes; what one adds has a say in the loss of all."""

    @staticmethod
    def forward(ctx: object, values: Tensor) -> Tensor:  # noqa: ARG004
        summed = values.detach().clone()
        dist.all_reduce(summed)
        return summed

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:  # noqa: ARG004
        summed = gradient.contiguous().clone()
        dist.all_reduce(summed)
        return summed


def _total(values: Tensor) -> Tensor:
    summed: Tensor = _Sum.apply(values)  # type: ignore[no-untyped-call]
    return summed
