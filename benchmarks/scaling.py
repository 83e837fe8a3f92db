"""How time and memory grow with the data: 5,000 impressions of MIND's shape, and 2, 4 and 8 times as many.

News and users grow alike; the length of texts, histories and impressions does not. Each stage runs in a process of its
own, imports left out of the time and not of the memory. Times are the best of several runs, in turns, so that a busy
minute does not hit one size only.

What a stage takes whatever the data, such as loading the registry, is its time for a handful of news and impressions
(`SMALLEST`). It is taken off before the exponent is fitted: the slope of a least-squares line through the logarithms of
size and time, 1 for a time that grows as the data does.
"""

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.apart import Measured, apart
from benchmarks.mind_shaped import Shape, write_mind_shaped
from benchmarks.preparation import import_and_prepare

IMPRESSIONS: Final = 5_000
TIMES: Final = (1, 2, 4, 8)
RUNS: Final = 3
BASELINE: Final = "naml"
"""What is trained and evaluated, at the width it is registered with."""
SMALLEST: Final = Shape(news=20, users=10, train=10, dev=10)


def prepare(folder: Path) -> None:
    """From `folder/mind` to `folder/dataset` and `folder/cache`."""
    for name in ("dataset", "cache"):
        shutil.rmtree(folder / name, ignore_errors=True)
    import_and_prepare(folder)


def train_epoch(folder: Path) -> None:
    """One epoch over what `prepare` left."""
    from benchmarks.models import features, registered_model  # torch is not preparation's to load
    from genre.modeling.settings import TrainingSettings
    from genre.modeling.training import train

    data = features(folder)
    train(registered_model(data, BASELINE), data, TrainingSettings(epochs=1, stop_split=None), seed=0)


def evaluate_dev(folder: Path) -> None:
    """The four metrics of all dev impressions."""
    from benchmarks.models import features, registered_model
    from genre.modeling.evaluation import evaluate

    data = features(folder)
    evaluate(registered_model(data, BASELINE), data, "dev")


STAGES: Final[Mapping[str, Callable[[Path], object]]] = {
    "preparation": prepare,
    "training": train_epoch,
    "evaluation": evaluate_dev,
}
"""Each finds in the folder what stages above it left, and may be called several times."""


def measure() -> dict[str, object]:
    """For each stage and size: seconds and peak MiB; and the exponent of time against size."""
    with tempfile.TemporaryDirectory() as name:
        shapes = {times: shape_of(times) for times in TIMES} | {0: SMALLEST}
        folders = {times: Path(name) / str(times) for times in shapes}
        for times, shape in shapes.items():
            write_mind_shaped(folders[times] / "mind", shape)
        figures: dict[str, object] = {"impressions": [IMPRESSIONS * times for times in TIMES]}
        for stage, function in STAGES.items():
            runs = [{times: apart(function, folder) for times, folder in folders.items()} for _ in range(RUNS)]
            figures |= {f"{stage}_{figure}": value for figure, value in _figures(runs).items()}
        return figures


def shape_of(times: int) -> Shape:
    """MIND-small's shares of news, users, train and dev, for so many times 5,000 impressions of train."""
    whole = Shape()

    def share(count: int) -> int:
        return round(count * times * IMPRESSIONS / whole.train)

    return Shape(news=share(whole.news), users=share(whole.users), train=share(whole.train), dev=share(whole.dev))


def fitted_exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """The slope of a least-squares line through the logarithms.

    Raises:
        ValueError: a time is not positive: it was lost in that of the smallest data.
    """
    if min(seconds) <= 0:
        raise ValueError(f"a time of {min(seconds)} s is left when the start is taken off: measure more data")
    slope, _ = np.polyfit(np.log(sizes), np.log(seconds), 1)
    return float(slope)


def _figures(runs: Sequence[Mapping[int, Measured[object]]]) -> dict[str, object]:
    """Of runs by size, 0 for the smallest."""
    seconds = {times: min(run[times].seconds for run in runs) for times in runs[0]}
    start = seconds.pop(0)
    return {
        "start_seconds": start,
        "seconds": [seconds[times] for times in TIMES],
        "peak_mib": [max(run[times].peak_mib for run in runs) for times in TIMES],
        "exponent": round(fitted_exponent(TIMES, [seconds[times] - start for times in TIMES]), 3),
    }
