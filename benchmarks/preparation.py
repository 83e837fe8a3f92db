"""From MIND's files to features that a model trains on: the first time, and again."""

import tempfile
from pathlib import Path

from benchmarks.apart import apart
from benchmarks.mind_shaped import write_mind_shaped
from genre.dataset import load_dataset, save_dataset
from genre.experiments.steps import read_dataset
from genre.modeling.features import prepare_features
from genre.modeling.settings import FeatureSettings
from genre.registry import Registry

FEATURES = FeatureSettings(texts={"title": 30}, categories=(), history_length=50)


def measure() -> dict[str, object]:
    """Each in a process of its own, imports left out, so that its memory is its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_mind_shaped(folder / "mind")
        cold = apart(import_and_prepare, folder)
        warm = apart(_prepare_again, folder)
    return {
        "cold_seconds": cold.seconds,
        "warm_seconds": warm.seconds,
        "peak_mib": max(cold.peak_mib, warm.peak_mib),
    }


def import_and_prepare(folder: Path) -> None:
    """Read `folder/mind`, save it in `folder/dataset`, and prepare features in `folder/cache`."""
    dataset = read_dataset(Registry.load(), "mind", {"folder": str(folder / "mind")})
    save_dataset(dataset, folder / "dataset")
    prepare_features(dataset, FEATURES, cache=folder / "cache")


def _prepare_again(folder: Path) -> None:
    prepare_features(load_dataset(folder / "dataset"), FEATURES, cache=folder / "cache")
