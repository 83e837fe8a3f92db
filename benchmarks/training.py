"""Training steps a second of every baseline, beside a plain loop in the same run."""

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import attrs
import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.apart import apart
from benchmarks.models import BASELINES, REPEATS, features, matmul_rate, measured, model
from benchmarks.plain import DenseAdam, plain_batch, plainly
from genre.modeling.batches import Batch, GroupSampler
from genre.modeling.losses import LOSSES
from genre.modeling.optimizer import RowwiseAdam
from genre.modeling.recommender import Recommender
from genre.modeling.settings import TrainingSettings

SETTINGS: Final = TrainingSettings(batch_size=64, negatives=4, stop_split=None)
STEPS, PLAIN_STEPS = 6, 1


@attrs.frozen
class Speed:
    """What one baseline reached; medians of the repeats.

    Attributes:
        matmul_rate: operations a second of a large product, measured beside.
    """

    groups_per_second: float
    plain_groups_per_second: float
    flop_per_step: float
    matmul_rate: float


def measure(baselines: tuple[str, ...] = BASELINES) -> dict[str, object]:
    """Each baseline in a process of its own."""
    return measured(_row, baselines)


def _row(folder: Path, baseline: str) -> dict[str, object]:
    speed = apart(_speed, folder, baseline).result
    seconds = SETTINGS.batch_size / speed.groups_per_second
    return {
        "baseline": baseline,
        "ratio_to_plain_loop": round(speed.groups_per_second / speed.plain_groups_per_second, 2),
        "groups_per_second": round(speed.groups_per_second, 1),
        "plain_groups_per_second": round(speed.plain_groups_per_second, 1),
        "peak_mib": apart(_train, folder, baseline).peak_mib,
        "share_of_matmul_rate": round(speed.flop_per_step / seconds / speed.matmul_rate, 3),
        "gflop_per_step": round(speed.flop_per_step / 1e9, 1),
        "matmul_gflop_per_second": round(speed.matmul_rate / 1e9, 1),
    }


def _speed(folder: Path, baseline: str) -> Speed:
    data = features(folder)
    ours, theirs = model(data, baseline).train(), model(data, baseline).train()
    sampler = GroupSampler(data, SETTINGS, seed=0, portions=ours.news_tower.portions)
    optimizer, dense = RowwiseAdam(ours, SETTINGS), DenseAdam(theirs, SETTINGS)
    batches, plain = sampler.epoch(1), _plain_batches(sampler)
    with FlopCounterMode(display=False) as counter:
        _step(ours, next(batches), optimizer.step)
    with plainly():
        _step(theirs, next(plain), dense.step)
    quick, slow, rates = [], [], []
    for _ in range(REPEATS):  # beside each other, so that a noisy machine is noisy for all
        with plainly():
            slow.append(_timed(theirs, plain, dense.step, PLAIN_STEPS))
        quick.append(_timed(ours, batches, optimizer.step, STEPS))
        rates.append(matmul_rate())
    return Speed(statistics.median(quick), statistics.median(slow), counter.get_total_flops(), statistics.median(rates))


def _train(folder: Path, baseline: str) -> None:
    """Some steps, for their memory."""
    data = features(folder)
    ours = model(data, baseline).train()
    sampler = GroupSampler(data, SETTINGS, seed=0, portions=ours.news_tower.portions)
    _timed(ours, sampler.epoch(1), RowwiseAdam(ours, SETTINGS).step, 2 * STEPS)


def _plain_batches(sampler: GroupSampler) -> Iterator[Batch]:
    order = np.random.default_rng(0).permutation(len(sampler.positives))
    for number, start in enumerate(range(0, len(order), SETTINGS.batch_size)):
        yield plain_batch(sampler, sampler.draw(1, number, order[start : start + SETTINGS.batch_size]))


def _timed(
    recommender: Recommender, batches: Iterator[Batch], step: Callable[[torch.Tensor], None], count: int
) -> float:
    """Groups a second, the making of batches included."""
    start = time.perf_counter()
    for _ in range(count):
        _step(recommender, next(batches), step)
    return count * SETTINGS.batch_size / (time.perf_counter() - start)


def _step(recommender: Recommender, batch: Batch, step: Callable[[torch.Tensor], None]) -> None:
    step(LOSSES[recommender.baseline.loss](recommender(batch), batch.labels, batch.mask))
