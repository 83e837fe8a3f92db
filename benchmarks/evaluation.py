"""Impressions a second of an evaluation with all four metrics, beside a plain one in the same run.

The plain way takes one impression after the other: its history padded to the longest, the news of its history and its
candidates encoded with padded texts, its metrics computed. The cached way is the same but for its news, which are
encoded beforehand and not counted.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import attrs
import numpy as np
import torch

from benchmarks.apart import apart
from benchmarks.models import BASELINES, REPEATS, features, measured, model
from benchmarks.plain import one_by_one, plainly
from genre.modeling.evaluation import evaluate, summarize
from genre.modeling.news_tower import NewsVectors

SPLIT = "dev"
PLAIN, CACHED = 20, 100
"""Impressions that the plain and the cached way are timed with."""


@attrs.frozen
class Speed:
    """Impressions a second; medians of the repeats."""

    ours: float
    plain: float
    cached: float


def measure(baselines: tuple[str, ...] = BASELINES) -> dict[str, object]:
    """Each baseline in a process of its own."""
    return measured(_row, baselines)


def _row(folder: Path, baseline: str) -> dict[str, object]:
    speed = apart(_speed, folder, baseline).result
    return {
        "baseline": baseline,
        "ratio_to_plain_loop": round(speed.ours / speed.plain, 1),
        "ratio_to_cached_loop": round(speed.ours / speed.cached, 1),
        "impressions_per_second": round(speed.ours),
        "plain_impressions_per_second": round(speed.plain, 1),
        "cached_impressions_per_second": round(speed.cached, 1),
        "peak_mib": apart(_evaluate, folder, baseline).peak_mib,
    }


def _evaluate(folder: Path, baseline: str) -> None:
    data = features(folder)
    summarize(evaluate(model(data, baseline), data, SPLIT).impressions)


@torch.inference_mode()
def _speed(folder: Path, baseline: str) -> Speed:
    data = features(folder)
    recommender = model(data, baseline).eval()
    split = data.split(SPLIT)
    chosen = np.random.default_rng(0).permutation(len(split.impressions))
    width = recommender.baseline.dim
    fields = len(recommender.news_tower.names)
    count = len(data.dataset.news)
    table = NewsVectors(torch.randn(count, width), torch.randn(count, fields, width))
    ours, plain, cached = [], [], []
    for number in range(REPEATS):
        some = chosen[number * CACHED : (number + 1) * CACHED]
        with plainly():
            plain.append(_timed(PLAIN, lambda some=some: one_by_one(recommender, data, SPLIT, some[:PLAIN])))
            cached.append(_timed(CACHED, lambda some=some: one_by_one(recommender, data, SPLIT, some, table)))
        ours.append(_timed(len(chosen), lambda: summarize(evaluate(recommender, data, SPLIT).impressions)))
    return Speed(statistics.median(ours), statistics.median(plain), statistics.median(cached))


def _timed(count: int, work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)
