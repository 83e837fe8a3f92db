"""The models that training and evaluation are measured with, at the widths that others measure."""

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import torch

from benchmarks.mind_shaped import write_mind_shaped
from benchmarks.preparation import FEATURES, import_and_prepare
from genre.dataset import load_dataset
from genre.modeling.composition import build_recommender
from genre.modeling.features import Features, prepare_features
from genre.modeling.recommender import Recommender
from genre.parts import Baseline
from genre.registry import Registry

BASELINES: Final = ("naml", "lstur", "nrms", "plmnr", "bst", "dcn", "pnn", "din")
DIM: Final = 300
"""Width of words and news in the implementations of matching models that others measure."""
_ATTENTION: Final = {"heads": 15, "hidden": 200}
RECORDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "naml": {"dim": DIM, "field_options": {"cnn": {"hidden": 200}}},
    "lstur": {"dim": DIM, "field_options": {"cnn": {"hidden": 200, "dropout": 0.2}}},
    "nrms": {"dim": DIM, "field_options": {"self-attention": _ATTENTION}, "user_options": _ATTENTION},
    "plmnr": {
        "field_options": {"plm": {"config": {"model_type": "bert", "num_hidden_layers": 2, "num_attention_heads": 8}}}
    },
}
"""What is changed of records. Ranking models are as they are registered, width and all.

PLM-NR is 64 wide as registered, and its language model a random one that reads words: nothing to download. It has one
layer less: the plain loop runs 3,500 titles of 30 words through each of them in a step, which takes most of the time.
"""
REPEATS: Final = 5


def prepare(folder: Path) -> None:
    """MIND-shaped data, ready to train on, in a folder."""
    write_mind_shaped(folder / "mind")
    import_and_prepare(folder)


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
    record = attrs.evolve(Registry.load().baseline(baseline), **RECORDS.get(baseline, {}))
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
