"""What a trained model says of its making: plain facts that may leave the machine it was made on."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import PurePosixPath, PureWindowsPath

import attrs

from genre.dataset import Dataset, LineageEntry
from genre.modeling.settings import TrainingSettings
from genre.modeling.training import TrainingResult
from genre.version import __version__


@attrs.frozen(kw_only=True)
class Provenance:
    """How a model was made. No paths, no ids of users or news, no clock times.

    Attributes:
        genre, torch: their versions.
        data: name of the data set or variant that it was trained on.
        fingerprint: of that data set.
        lineage: how the data set came to be, oldest step first; of a round: task, generator, models, records.
        training: `TrainingSettings` as a table.
        epochs: how many were trained.
        best_epoch: whose state the model has, from 1.
        metrics: of that epoch, over the early-stopping split; empty without such a split.
    """

    genre: str
    torch: str
    data: str
    fingerprint: str
    lineage: tuple[Mapping[str, object], ...]
    training: Mapping[str, object]
    epochs: int
    best_epoch: int
    metrics: Mapping[str, float]

    @classmethod
    def of(cls, dataset: Dataset, name: str, settings: TrainingSettings, result: TrainingResult) -> "Provenance":
        """The facts of a training.

        Args:
            name: of the data set or variant.
        """
        best = next(report for report in result.epochs if report.epoch == result.best_epoch)
        return cls(
            genre=__version__,
            torch=version("torch"),
            data=name,
            fingerprint=dataset.fingerprint,
            lineage=tuple(_told(step) for step in dataset.lineage),
            training=attrs.asdict(settings),
            epochs=len(result.epochs),
            best_epoch=result.best_epoch,
            metrics=dict(best.metrics),
        )


def _told(step: LineageEntry) -> Mapping[str, object]:
    """A step without what only its own machine can use: endpoints, options, templates."""
    if step.operation == "round":
        kept = {name: step.details.get(name) for name in ("round", "task", "generator", "prompts", "records", "leaked")}
        return {"operation": step.operation, **_plain(kept), "models": _models(step.details.get("models"))}
    return {"operation": step.operation, **_plain(step.details)}


def _models(identities: object) -> list[str]:
    """Names of the models that answered."""
    if not isinstance(identities, Mapping):
        return []
    names = (each.get("model") for each in identities.values() if isinstance(each, Mapping))
    return sorted({_without_folder(name) for name in names if isinstance(name, str)})


def _plain(details: Mapping[str, object]) -> dict[str, object]:
    """The details that are texts, numbers or truth values."""
    return {
        name: _without_folder(value) if isinstance(value, str) else value
        for name, value in details.items()
        if isinstance(value, str | int | float | bool)
    }


def _without_folder(text: str) -> str:
    """A path from the root by its name."""
    for path in (PurePosixPath(text), PureWindowsPath(text)):
        if path.is_absolute():
            return path.name
    return text
