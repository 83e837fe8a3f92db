"""A training whose course is compared: alone, or as a program that is one of several processes."""

import contextlib
import hashlib
import json
import sys
from pathlib import Path

import attrs
import torch
from torch import nn

from genre.dataset import load_dataset
from genre.modeling.composition import build_recommender
from genre.modeling.distributed import process_group
from genre.modeling.executors import Watch
from genre.modeling.features import prepare_features
from genre.modeling.processes import OneProcess, Processes
from genre.modeling.recommender import Recommender
from genre.modeling.settings import CheckpointSettings, FeatureSettings, TrainingSettings
from genre.modeling.training import StepReport, train
from genre.options import structure
from genre.registry import Registry


class EnoughError(Exception):
    """So many steps were wanted."""


@attrs.frozen(kw_only=True)
class Wanted:
    """What to train."""

    data: Path
    baseline: str
    training: TrainingSettings
    steps: int = 10**9
    fusion: bool = False
    dropout: bool = False
    seed_of_weights: int = 0
    checkpoint: Path | None = None


@attrs.frozen
class Course:
    """What came of it: losses of steps, figures of epochs, a hash of all weights, and what was told."""

    losses: list[float]
    metrics: list[dict[str, float]]
    weights: str
    messages: list[str]


def course_of(wanted: Wanted, processes: Processes) -> Course:
    dataset = load_dataset(wanted.data)
    texts = {"title": 16}
    features = prepare_features(dataset, FeatureSettings(texts=texts, categories=(), history_length=30))
    model = build_recommender(
        Registry.load(),
        wanted.baseline,
        features.vocabulary,
        features.settings,
        fusion=wanted.fusion,
        dim=16,
        seed=wanted.seed_of_weights + processes.rank,  # those of rank 0 count
    )
    if not wanted.dropout:
        without_dropout(model)
    losses: list[float] = []
    metrics: list[dict[str, float]] = []
    messages: list[str] = []

    def on_step(report: StepReport) -> None:
        losses.append(report.loss)
        if len(losses) == wanted.steps:
            raise EnoughError

    with contextlib.suppress(EnoughError):
        train(
            model,
            features,
            wanted.training,
            seed=1,
            processes=processes,
            checkpoints=wanted.checkpoint and CheckpointSettings(path=wanted.checkpoint, minutes=0, resume=True),
            on_step=on_step,
            on_epoch=lambda report: metrics.append(dict(report.metrics)),
            on_message=messages.append,
        )
    return Course(losses, metrics, hash_of(model), messages)


def without_dropout(model: Recommender) -> None:
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if hasattr(module, "user_dropout"):
            module.user_dropout = 0.0


def hash_of(model: Recommender) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for value in model.state_dict().values():
        digest.update(value.numpy().tobytes())
    return digest.hexdigest()


def arguments(wanted: Wanted) -> str:
    return json.dumps(
        attrs.asdict(wanted, value_serializer=lambda *args: str(args[2]) if isinstance(args[2], Path) else args[2])
    )


def of_an_executor(text: str, _: Registry, processes: Processes, __: Watch) -> str:
    """What each process of an executor that trains calls."""
    torch.set_num_threads(1)
    return json.dumps(attrs.asdict(course_of(structure(json.loads(text), Wanted, "arguments"), processes)))


def alone(wanted: Wanted) -> Course:
    return course_of(wanted, OneProcess())


if __name__ == "__main__":
    torch.set_num_threads(1)
    with process_group() as group:
        for argument in sys.argv[1:]:  # one after another: starting the processes takes longer than a small training
            asked = structure(json.loads(argument), Wanted, "arguments")
            print(json.dumps(attrs.asdict(course_of(asked, group))))
    # A group that something still refers to has threads, which may abort the process at its end.
    threads = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
    assert not [name for name in threads if "gloo" in name], threads
