"""A training as a file, from which it goes on exactly: safetensors, with JSON in its header. Nothing is unpickled."""

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

import attrs
import safetensors
from torch import Tensor

from genre.errors import UsageError
from genre.modeling.features import Features, file_state
from genre.modeling.recommender import Recommender
from genre.modeling.settings import TrainingSettings
from genre.modeling.tensor_files import save_tensors
from genre.modeling.training_state import EpochReport, TrainingState
from genre.options import structure
from genre.parts import canonical_json
from genre.staging import staged_file
from genre.version import __version__

_FORMAT: Final = 1
_HEADER: Final = "genre"
_NAMED: Final = 3
"""So many differences are named, and the others counted."""
_AGAIN: Final = "delete it and train from the start"


@attrs.frozen(eq=False)
class TrainingCheckpoint:
    """All that a training goes on from.

    Attributes:
        identity: what decides the training, see `identity_of`.
        state: how far it is.
        model: the recommender's state.
        optimizer: the optimizer's.
        random: states of torch's generator within an epoch, one a process; empty between epochs, where it is seeded.
    """

    identity: Mapping[str, object]
    state: TrainingState
    model: Mapping[str, Tensor]
    optimizer: Mapping[str, Tensor]
    random: tuple[Tensor, ...] = ()

    def parts(self) -> tuple[str, dict[str, Tensor]]:
        """A JSON text and tensors by name, of which `from_parts` makes the same."""
        groups = {"model": self.model, "best": self.state.best, "optimizer": self.optimizer, "random": self._numbered()}
        tensors = {f"{group}.{name}": value for group, named in groups.items() for name, value in named.items()}
        held = {field.name: getattr(self.state, field.name) for field in attrs.fields(_Position)}
        header = _Header(_FORMAT, dict(self.identity), _Position(**held))
        return json.dumps(attrs.asdict(header)), tensors

    @classmethod
    def from_parts(cls, text: str, tensors: Mapping[str, Tensor], where: str | Path) -> "TrainingCheckpoint":
        """What `parts` took apart.

        Raises:
            UsageError: it is not such a thing, or one of another format.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"no checkpoint of a training: {error}", where=where, remedy=_AGAIN) from error
        if not isinstance(values, dict) or values.get("format") != _FORMAT:
            raise UsageError(
                f"no checkpoint that this version reads (it reads format {_FORMAT})", where=where, remedy=_AGAIN
            )
        header = structure(values, _Header, str(where))
        groups: dict[str, dict[str, Tensor]] = {"model": {}, "best": {}, "optimizer": {}, "random": {}}
        for key, value in tensors.items():
            group, _, name = key.partition(".")
            if group not in groups:
                raise UsageError(f"no checkpoint of a training: it holds {key!r}", where=where, remedy=_AGAIN)
            groups[group][name] = value
        state = TrainingState(**attrs.asdict(header.state, recurse=False), best=groups["best"])
        random = tuple(value for _, value in sorted(groups["random"].items()))
        return cls(header.identity, state, groups["model"], groups["optimizer"], random)

    def _numbered(self) -> dict[str, Tensor]:
        return {f"{number:06}": value for number, value in enumerate(self.random)}


@attrs.frozen
class _Position:
    """The part of `TrainingState` that is no tensor."""

    epoch: int
    step: int
    loss: float
    reports: tuple[EpochReport, ...]
    best_figure: float | None


@attrs.frozen
class _Header:
    format: int
    identity: dict[str, object]
    state: _Position


def identity_of(
    recommender: Recommender, features: Features, settings: TrainingSettings, seed: int
) -> dict[str, object]:
    """What decides the course of a training, by name: plain values, which survive JSON."""
    frozen = [str(encoder.states_key) for encoder, _ in recommender.news_tower.frozen_encoders()]
    tables: dict[str, object] = {
        "genre": __version__,
        "torch": version("torch"),
        "data set": features.dataset.fingerprint,
        "vocabulary": features.vocabulary.fingerprint,
        "seed": seed,
        "baseline": attrs.asdict(recommender.baseline),
        "fusion": recommender.fusion is not None,
        "features": attrs.asdict(features.settings),
        "fields in order": list(features.settings.field_kinds),
        "word vectors' file": file_state(features.settings.word_vectors),
        "frozen encoders": frozen,
        "training": attrs.asdict(settings),
    }
    plain: dict[str, object] = json.loads(canonical_json(dict(_flat(tables))))
    return plain


def check_identity(found: Mapping[str, object], wanted: Mapping[str, object], path: Path) -> None:
    """Whether a checkpoint is of this training.

    Raises:
        UsageError: it is not; the message names what differs.
    """
    absent = "not set"
    differences = [
        f"{name} is {found.get(name, absent)!r} there and {wanted.get(name, absent)!r} here"
        for name in sorted({*found, *wanted})
        if found.get(name, absent) != wanted.get(name, absent)
    ]
    if differences:
        more = f", and {len(differences) - _NAMED} more" if len(differences) > _NAMED else ""
        raise UsageError(
            f"the checkpoint is of another training: {'; '.join(differences[:_NAMED])}{more}",
            where=path,
            remedy="resume with the call that it was made by, or leave --resume out to train from the start",
        )


def write_checkpoint(path: Path, checkpoint: TrainingCheckpoint) -> None:
    """Write a checkpoint, whole or not at all; one that was there is replaced when the new one is safely on disk.

    Raises:
        RunError: it cannot be written.
    """
    text, tensors = checkpoint.parts()
    with staged_file(path, "checkpoint", shared=False) as staging:
        save_tensors(staging, tensors, {_HEADER: text})


def read_checkpoint(path: Path) -> TrainingCheckpoint:
    """What `write_checkpoint` wrote.

    Raises:
        UsageError: the file is missing, damaged, or something else.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(_HEADER, "null")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no mapping
    except (OSError, safetensors.SafetensorError) as error:
        raise UsageError(f"the checkpoint cannot be read: {error}", where=path, remedy=_AGAIN) from error
    return TrainingCheckpoint.from_parts(text, tensors, path)


def _flat(values: Mapping[str, object], place: str = "") -> Sequence[tuple[str, object]]:
    """Tables in tables as one, with dotted names."""
    flat: list[tuple[str, object]] = []
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            flat += _flat(value, f"{place}{name}.")
        else:
            flat.append((f"{place}{name}", value))
    return flat
