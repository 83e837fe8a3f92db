"""Training as a step: a baseline on a saved data set, by one process or by several, kept in a checkpoint on its way."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import cast

import attrs

from genre.dataset import load_dataset
from genre.errors import UsageError
from genre.experiments.models import CellPlan, check_override, overridden, overridden_training, train_model
from genre.experiments.observer import Announcer, Observer
from genre.experiments.plan import BaselineOverride, located, located_word_vectors
from genre.experiments.results import Cell
from genre.experiments.telling import Teller, hear
from genre.generation import find_executor
from genre.modeling import CheckpointSettings, FeatureSettings, TrainingSettings, check_model_folder, save_model
from genre.modeling.executors import TrainingExecutor, TrainingWork, Watch
from genre.modeling.processes import ALONE, Processes
from genre.modeling.profiling import Profile
from genre.options import structure
from genre.registry import Registry
from genre.settings import Layer, Settings, Table
from genre.staging import check_place

_TABLES = ("baseline", "features", "training")


@attrs.frozen(kw_only=True)
class TrainingCall:
    """A training that is asked for: plain data, which another machine understands.

    Attributes:
        data: folder of the data set.
        out: folder for the model. The checkpoint is a file beside it, see `checkpoint`.
        options: tables `baseline`, `features` and `training`.
        place: folder that relative paths in options are from.
        cache: folder for prepared features.
        minutes: between two checkpoints.
        resume: go on from the checkpoint, if there is one.
        profile: file for where the time went.
    """

    data: Path
    out: Path
    baseline: str
    seed: int = 0
    fusion: bool = False
    options: dict[str, object] = attrs.field(factory=dict)
    place: Path
    cache: Path | None = None
    minutes: float = 10.0
    resume: bool = False
    profile: Path | None = None

    @property
    def checkpoint(self) -> Path:
        """The file that the training is kept in until its model is saved."""
        return self.out.with_name(f"{self.out.name}-checkpoint.safetensors")

    def located(self) -> "TrainingCall":
        """The same with paths that do not depend on the working directory."""
        paths = ("data", "out", "place", "cache", "profile")
        given = {name: path.resolve() for name in paths if (path := getattr(self, name)) is not None}
        return attrs.evolve(self, **given)


@attrs.frozen
class TrainingOutcome:
    """What a training came to.

    Attributes:
        best_epoch: whose state was saved, from 1.
        epochs: how many were trained.
        metrics: of the best, over the early-stopping split; empty without such a split.
        word_vector_share: share of the vocabulary that pre-trained word vectors were found for; None without such.
    """

    best_epoch: int
    epochs: int
    metrics: dict[str, float]
    word_vector_share: float | None


def train_folder(
    registry: Registry,
    call: TrainingCall,
    *,
    observer: Observer | None = None,
    processes: Processes = ALONE,
    asked_to_end: Callable[[], bool] | None = None,
) -> TrainingOutcome:
    """Train a baseline on the data set of a folder and save the model.

    Args:
        processes: what trains together; each calls this function with the same call, and rank 0 saves the model.
        asked_to_end: asked after each batch whether to end there, as by Ctrl-C.

    Raises:
        UsageError: a wrong option, folder or split, or the checkpoint is of another training.
        RunError: the training diverged, or a checkpoint cannot be written.
        KeyboardInterrupt: it was interrupted; the checkpoint is there.
    """
    watcher = observer or Observer()
    plan = _plan(registry, call)
    if processes.rank == 0:
        _check_places(call)
    there = call.checkpoint.exists()
    if call.resume and not there and call.out.exists():
        raise UsageError(
            "there is nothing to resume: a model is there, and no checkpoint beside it",
            where=call.out,
            remedy="leave --resume out to train it again",
        )
    if there and not call.resume:
        watcher.on_message(f"{call.checkpoint}: a training that did not end is replaced; --resume would go on from it")
    dataset = load_dataset(call.data)
    if not call.fusion and processes.rank == 0 and (readers := dataset.interests["reader"].n_unique()):
        watcher.on_message(
            f"{call.data}: interests of {readers:,} readers are not read; --fusion makes the model read them"
        )
    profile = Profile()
    with profile if call.profile and processes.rank == 0 else nullcontext():
        trained = train_model(
            registry,
            dataset,
            plan,
            cache=call.cache,
            observer=Announcer(registry, watcher) if processes.rank == 0 else watcher,
            processes=processes,
            checkpoints=CheckpointSettings(path=call.checkpoint, minutes=call.minutes, resume=call.resume),
            asked_to_end=asked_to_end,
            profile=profile,
        )
    if processes.rank == 0:
        save_model(call.out, trained.model)
        call.checkpoint.unlink(missing_ok=True)
        if call.profile:
            profile.write(call.profile)
    result = trained.result
    best = next(report for report in result.epochs if report.epoch == result.best_epoch)
    return TrainingOutcome(best.epoch, len(result.epochs), dict(best.metrics), trained.word_vector_share)


def _plan(registry: Registry, call: TrainingCall) -> CellPlan:
    record = registry.baseline(call.baseline)
    given = Settings((Layer("command line", call.options),))
    if stray := sorted(set(call.options) - set(_TABLES)):
        raise UsageError(f"unknown option {stray[0]!r}", remedy=f"options start with {' or '.join(_TABLES)}.")
    parts = located({"baseline": given.table("baseline")}, call.place, "baseline")
    override = structure(cast(Table, parts["baseline"]), BaselineOverride, "baseline")
    features = structure(given.table("features"), FeatureSettings, "features")
    features = located_word_vectors(features, call.place)
    training = structure(given.table("training"), TrainingSettings, "training")
    check_override(override, features, "baseline")
    return CellPlan(
        cell=Cell(call.data.resolve().name, call.baseline, call.seed),
        baseline=overridden(record, override),
        features=features,
        training=overridden_training(training, override, "baseline.training"),
        fusion=call.fusion,
    )


def _check_places(call: TrainingCall) -> None:
    """Told now, and not after the first epoch."""
    check_model_folder(call.out)
    check_place(call.checkpoint, "checkpoint")
    if call.profile:
        check_place(call.profile, "profile")


def train_by_executor(
    registry: Registry, call: TrainingCall, executor: str, *, observer: Observer | None = None
) -> TrainingOutcome:
    """As `train_folder`, by the processes that an executor starts. Folders are the same on all of its machines.

    Args:
        executor: a name as for `genre.generation.find_executor`.

    Raises:
        UsageError: there is no such executor, or it does not train.
    """
    found = find_executor(registry, executor)
    if not isinstance(found, TrainingExecutor):
        raise UsageError(
            f"the executor {executor!r} answers prompts, and does not train",
            remedy="name one that does, such as ray",
        )
    _plan(registry, call)  # a mistake is told before anything starts
    _check_places(call)
    watcher = observer or Observer()
    call = call.located()
    work = TrainingWork(
        registry=registry,
        entry="genre.experiments.training:train_in_process",
        arguments=json.dumps(attrs.asdict(call), default=str),
        on_event=lambda event: hear(watcher, event),
        scratch=call.out.with_name(f".{call.out.name}-executor"),
    )
    return structure(json.loads(found.train(work)), TrainingOutcome, f"executor {executor}")


def train_in_process(arguments: str, registry: Registry, processes: Processes, watch: Watch) -> str:
    """What each process of an executor calls, see `genre.modeling.executors.TrainingWork`."""
    call = structure(json.loads(arguments), TrainingCall, "the call of a training")
    outcome = train_folder(
        registry,
        attrs.evolve(call, resume=call.resume or (watch.restarted and call.checkpoint.exists())),
        observer=Teller(watch.tell),
        processes=processes,
        asked_to_end=watch.asked_to_end,
    )
    return json.dumps(attrs.asdict(outcome))
