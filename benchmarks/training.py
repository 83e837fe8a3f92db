"""Training steps a second of every baseline, beside a plain loop in the same run."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import attrs
import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.apart import apart
from benchmarks.mind_shaped import write_mind_shaped
from benchmarks.plain import DenseAdam, plain_batch
from genre.dataset import load_dataset, save_dataset
from genre.experiments.steps import read_dataset
from genre.modeling.batches import Batch, GroupSampler
from genre.modeling.composition import build_recommender
from genre.modeling.features import Features, prepare_features
from genre.modeling.losses import LOSSES
from genre.modeling.optimizer import RowwiseAdam
from genre.modeling.recommender import Recommender
from genre.modeling.settings import FeatureSettings, TrainingSettings
from genre.registry import Registry

FEATURES: Final = FeatureSettings(texts={"title": 30}, categories=(), history_length=50)
SETTINGS: Final = TrainingSettings(batch_size=64, negatives=4, stop_split=None)
BASELINES: Final = ("naml", "lstur", "nrms", "bst", "dcn", "pnn", "din")
DIM: Final = 300
"""Width of words and news in the implementations that others measure."""
_ATTENTION: Final = {"heads": 15, "hidden": 200}
OPTIONS: Final[Mapping[str, Mapping[str, Mapping[str, object]]]] = {
    "naml": {"field_options": {"cnn": {"hidden": 200}}},
    "lstur": {"field_options": {"cnn": {"hidden": 200, "dropout": 0.2}}},
    "nrms": {"field_options": {"self-attention": _ATTENTION}, "user_options": _ATTENTION},
    "bst": {"user_options": {"heads": 6}},
}
"""Options at that width; the others as registered."""
STEPS, PLAIN_STEPS, REPEATS = 6, 1, 5


@attrs.frozen
class Speed:
    """What one baseline reached; medians of the repeats."""

    groups_per_second: float
    plain_groups_per_second: float
    flop_per_step: float


def measure(baselines: tuple[str, ...] = BASELINES) -> dict[str, object]:
    """Each baseline in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_mind_shaped(folder / "mind")
        save_dataset(read_dataset(Registry.load(), "mind", {"folder": str(folder / "mind")}), folder / "dataset")
        prepare_features(load_dataset(folder / "dataset"), FEATURES, cache=folder / "cache")
        rate = apart(matmul_rate).result
        rows = []
        for baseline in baselines:
            measured = apart(_speed, folder, baseline)
            speed = measured.result
            seconds = SETTINGS.batch_size / speed.groups_per_second
            rows.append(
                {
                    "baseline": baseline,
                    "ratio_to_plain_loop": round(speed.groups_per_second / speed.plain_groups_per_second, 2),
                    "groups_per_second": round(speed.groups_per_second, 1),
                    "plain_groups_per_second": round(speed.plain_groups_per_second, 1),
                    "peak_mib": measured.peak_mib,
                    "share_of_matmul_rate": round(speed.flop_per_step / seconds / rate, 3),
                }
            )
    return {"rows": rows, "matmul_gflop_per_second": round(rate / 1e9, 1), "threads": torch.get_num_threads()}


def matmul_rate(size: int = 4_096) -> float:
    """Operations a second of a large product in single precision."""
    left, right = torch.randn(size, size), torch.randn(size, size)
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        left @ right
        seconds.append(time.perf_counter() - start)
    return 2.0 * size**3 / statistics.median(seconds)


def _speed(folder: Path, baseline: str) -> Speed:
    features = prepare_features(load_dataset(folder / "dataset"), FEATURES, cache=folder / "cache")
    ours, theirs = _model(features, baseline), _model(features, baseline)
    sampler = GroupSampler(features, SETTINGS, seed=0)
    optimizer, dense = RowwiseAdam(ours, SETTINGS), DenseAdam(theirs, SETTINGS)
    batches, plain = sampler.epoch(1), _plain_batches(sampler)
    with FlopCounterMode(display=False) as counter:
        _step(ours, next(batches), optimizer.step)
    _step(theirs, next(plain), dense.step)
    quick, slow = [], []
    for _ in range(REPEATS):  # beside each other, so that a noisy machine is noisy for both
        slow.append(_timed(theirs, plain, dense.step, PLAIN_STEPS))
        quick.append(_timed(ours, batches, optimizer.step, STEPS))
    return Speed(statistics.median(quick), statistics.median(slow), counter.get_total_flops())


def _model(features: Features, baseline: str) -> Recommender:
    registry = Registry.load()
    record = attrs.evolve(registry.baseline(baseline), dim=DIM, **OPTIONS.get(baseline, {}))
    return build_recommender(registry, record, features.vocabulary, FEATURES, fusion=False).train()


def _plain_batches(sampler: GroupSampler) -> Iterator[Batch]:
    order = np.random.default_rng(0).permutation(len(sampler.positives))
    for number, start in enumerate(range(0, len(order), SETTINGS.batch_size)):
        yield plain_batch(sampler, sampler.draw(1, number, order[start : start + SETTINGS.batch_size]))


def _timed(model: Recommender, batches: Iterator[Batch], step: Callable[[torch.Tensor], None], count: int) -> float:
    """Groups a second, the making of batches included."""
    start = time.perf_counter()
    for _ in range(count):
        _step(model, next(batches), step)
    return count * SETTINGS.batch_size / (time.perf_counter() - start)


def _step(model: Recommender, batch: Batch, step: Callable[[torch.Tensor], None]) -> None:
    step(LOSSES[model.baseline.loss](model(batch), batch.labels, batch.mask))
