"""How time and memory grow with the data: 5,000 impressions of MIND's shape, and 2, 4 and 8 times as many.

Twice: impressions alone grow, over all the news and users of MIND-small; and news and users grow alike. In the second a
batch meets more distinct news the more there are, so that a step of training is more work: they are counted beside. The
length of texts, histories and impressions does not grow. Each stage runs in a process of its own, imports left out of
the time and not of the memory. Times are the best of several runs, in turns, so that a busy minute does not hit one
size only.

What a stage takes whatever the impressions, such as loading the registry, is its time for a handful of them. It is
taken off before the exponent is fitted: the slope of a least-squares line through the logarithms of size and time, 1
for a time that grows as the data does.
"""

import shutil
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import attrs
import numpy as np

from benchmarks.apart import Measured, apart
from benchmarks.mind_shaped import Shape, write_mind_shaped
from benchmarks.preparation import import_and_prepare

IMPRESSIONS: Final = 5_000
TIMES: Final = (1, 2, 4, 8)
RUNS: Final = 3
COUNTED: Final = 50
"""Batches whose news are counted."""
BASELINE: Final = "naml"
"""What is trained and evaluated, at the width it is registered with."""
HANDFUL: Final = 10
"""Impressions of the data whose time is taken off."""


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


def distinct_news_a_batch(folder: Path) -> int:
    """News that a step of `train_epoch` encodes, on average over the first batches."""
    from benchmarks.models import features
    from genre.modeling.batches import GroupSampler
    from genre.modeling.settings import TrainingSettings

    batches = GroupSampler(features(folder), TrainingSettings(), seed=0).epoch(0)
    return round(
        statistics.fmean(sum(len(each["title"].mask) for each in batch.news) for batch in islice(batches, COUNTED))
    )


STAGES: Final[Mapping[str, Callable[[Path], object]]] = {
    "preparation": prepare,
    "training": train_epoch,
    "evaluation": evaluate_dev,
}
"""Each finds in the folder what stages above it left, and may be called several times."""


def measure() -> dict[str, object]:
    """For each way to grow, stage and size: seconds and peak MiB; and the exponent of time against size."""
    return {
        "impressions": [IMPRESSIONS * times for times in TIMES],
        "impressions_alone": _measure({times: impressions_alone(times) for times in (0, *TIMES)}),
        "all_alike": _measure({times: all_alike(times) for times in (0, *TIMES)}),
    }


def _measure(shapes: Mapping[int, Shape]) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as name:
        folders = {times: Path(name) / str(times) for times in shapes}
        for times, shape in shapes.items():
            write_mind_shaped(folders[times] / "mind", shape)
        figures: dict[str, object] = {}
        for stage, function in STAGES.items():
            runs = [{times: apart(function, folder) for times, folder in folders.items()} for _ in range(RUNS)]
            figures |= {f"{stage}_{figure}": value for figure, value in _figures(stage, runs).items()}
        counts = {times: apart(distinct_news_a_batch, folder).result for times, folder in folders.items()}
        return figures | {"distinct_news_a_batch": [counts[times] for times in TIMES]}


def impressions_alone(times: int) -> Shape:
    """So many times 5,000 impressions of train, and dev in MIND-small's share; its news and users. A handful for 0."""
    whole = Shape()
    if times == 0:
        return attrs.evolve(whole, train=HANDFUL, dev=HANDFUL)
    return attrs.evolve(whole, train=times * IMPRESSIONS, dev=_share(whole.dev, times))


def all_alike(times: int) -> Shape:
    """MIND-small's shares of news, users, train and dev, for so many times 5,000 impressions of train."""
    whole = Shape()
    if times == 0:
        return Shape(news=2 * HANDFUL, users=HANDFUL, train=HANDFUL, dev=HANDFUL)
    return Shape(
        news=_share(whole.news, times),
        users=_share(whole.users, times),
        train=_share(whole.train, times),
        dev=_share(whole.dev, times),
    )


def _share(count: int, times: int) -> int:
    return round(count * times * IMPRESSIONS / Shape().train)


def fitted_exponent(stage: str, sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """The slope of a least-squares line through the logarithms.

    Raises:
        ValueError: a time is not positive: it was lost in that of the handful.
    """
    if min(seconds) <= 0:
        raise ValueError(f"{stage}: {min(seconds):.2f} s are left when the start is taken off: is the machine busy?")
    slope, _ = np.polyfit(np.log(sizes), np.log(seconds), 1)
    return float(slope)


def _figures(stage: str, runs: Sequence[Mapping[int, Measured[object]]]) -> dict[str, object]:
    """Of runs by size, 0 for the handful."""
    seconds = {times: min(run[times].seconds for run in runs) for times in runs[0]}
    start = seconds.pop(0)
    return {
        "start_seconds": start,
        "seconds": [seconds[times] for times in TIMES],
        "peak_mib": [max(run[times].peak_mib for run in runs) for times in TIMES],
        "exponent": round(fitted_exponent(stage, TIMES, [seconds[times] - start for times in TIMES]), 3),
    }
