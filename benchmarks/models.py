"""The models that training and evaluation are measured with, at the widths that others measure."""

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs
import torch

from benchmarks.mind_shaped import write_mind_shaped
from genre.dataset import load_dataset, save_dataset
from genre.experiments.steps import read_dataset
from genre.modeling.composition import build_recommender
from genre.modeling.features import Features, prepare_features
from genre.modeling.recommender import Recommender
from genre.modeling.settings import FeatureSettings
from genre.parts import Baseline
from genre.registry import Registry

FEATURES: Final = FeatureSettings(texts={"title": 30}, categories=(), history_length=50)
BASELINES: Final = ("naml", "lstur", "nrms", "bst", "dcn", "pnn", "din")
DIM: Final = 300
"""Width of words and news in the implementations of matching models that others measure."""
_ATTENTION: Final = {"heads": 15, "hidden": 200}
OPTIONS: Final[Mapping[str, Mapping[str, Mapping[str, object]]]] = {
    "naml": {"field_options": {"cnn": {"hidden": 200}}},
    "lstur": {"field_options": {"cnn": {"hidden": 200, "dropout": 0.2}}},
    "nrms": {"field_options": {"self-attention": _ATTENTION}, "user_options": _ATTENTION},
}
"""Options at that width. Ranking models are as they are registered, width and all."""
REPEATS: Final = 5


def prepare(folder: Path) -> None:
    """MIND-shaped data, ready to train on, in a folder."""
    write_mind_shaped(folder / "mind")
    save_dataset(read_dataset(Registry.load(), "mind", {"folder": str(folder / "mind")}), folder / "dataset")
    features(folder)


def measured(row: Callable[[Path, str], dict[str, object]], baselines: Sequence[str]) -> dict[str, object]:
    """The rows of a suite, over the same data."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        return {"rows": [row(folder, baseline) for baseline in baselines], "threads": torch.get_num_threads()}


def features(folder: Path) -> Features:
    """What `prepare` prepared."""
    return prepare_features(load_dataset(folder / "dataset"), FEATURES, cache=folder / "cache")


def model(of: Features, baseline: str) -> Recommender:
    """A baseline with random weights, as it is measured."""
    record = Registry.load().baseline(baseline)
    if baseline in OPTIONS:
        record = attrs.evolve(record, dim=DIM, **OPTIONS[baseline])
    return registered_model(of, record)


def registered_model(of: Features, baseline: Baseline | str) -> Recommender:
    """A baseline with random weights, as it is registered or as a record says."""
    return build_recommender(Registry.load(), baseline, of.vocabulary, FEATURES, fusion=False)


def matmul_rate(size: int = 4_096) -> float:
    """Operations a second of a large product in single precision."""
    left, right = torch.randn(size, size), torch.randn(size, size)
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        left @ right
        seconds.append(time.perf_counter() - start)
    return 2.0 * size**3 / statistics.median(seconds)
