import os
import signal
from collections.abc import Sequence
from pathlib import Path

import attrs
import pytest
import safetensors.torch
import torch
from torch import nn

from genre.errors import RunError, UsageError
from genre.modeling.composition import build_recommender
from genre.modeling.evaluation import Evaluation
from genre.modeling.features import Features
from genre.modeling.processes import OneProcess
from genre.modeling.recommender import Recommender
from genre.modeling.settings import CheckpointSettings, TrainingSettings
from genre.modeling.training import OnStep, StepReport, TrainingResult, train
from genre.registry import Registry

SETTINGS = TrainingSettings(epochs=4, batch_size=8, patience=2)


class EndedError(Exception):
    """Stands for whatever ends a process."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "checkpoint.safetensors"


def built(registry: Registry, features: Features, name: str = "nrms", seed: int = 0) -> Recommender:
    return build_recommender(registry, name, features.vocabulary, features.settings, fusion=True, dim=16, seed=seed)


def ending_after(epoch: int, step: int) -> OnStep:
    """A listener that ends the training there."""

    def listen(report: StepReport) -> None:
        if (report.epoch, report.step) == (epoch, step):
            raise EndedError

    return listen


def same(first: Recommender, second: Recommender) -> bool:
    states = first.state_dict(), second.state_dict()
    return all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize("name", ["nrms", "lstur", "din", "dcn"])
@pytest.mark.parametrize("place", [(1, 3), (2, 2), (3, 1)])
def test_a_training_that_ended_anywhere_goes_on_to_the_very_same_model(
    registry: Registry, features: Features, path: Path, name: str, place: tuple[int, int]
) -> None:
    undisturbed, ended, again = (built(registry, features, name) for _ in range(3))
    expected = train(undisturbed, features, SETTINGS, seed=3)
    kept = CheckpointSettings(path=path, minutes=0)
    with pytest.raises(EndedError):
        train(ended, features, SETTINGS, seed=3, checkpoints=kept, on_step=ending_after(*place))
    steps: list[StepReport] = []
    result = train(again, features, SETTINGS, seed=3, checkpoints=attrs.evolve(kept, resume=True), on_step=steps.append)
    assert result == expected
    assert same(again, undisturbed)
    # The batch before the end is in the checkpoint; that of the end is not, since its listener ended the process.
    assert (steps[0].epoch, steps[0].step) == place


def test_checkpoints_change_nothing(registry: Registry, features: Features, path: Path) -> None:
    without, with_them = built(registry, features), built(registry, features)
    train(without, features, SETTINGS, seed=0)
    train(with_them, features, SETTINGS, seed=0, checkpoints=CheckpointSettings(path=path, minutes=0))
    assert same(without, with_them)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_each_epoch_s_end_is_kept_however_rare_checkpoints_are(
    registry: Registry, features: Features, path: Path
) -> None:
    kept = CheckpointSettings(path=path, minutes=1e9)
    with pytest.raises(EndedError):
        train(built(registry, features), features, SETTINGS, seed=0, checkpoints=kept, on_step=ending_after(1, 5))
    assert not path.exists()
    with pytest.raises(EndedError):
        train(built(registry, features), features, SETTINGS, seed=0, checkpoints=kept, on_step=ending_after(2, 4))
    messages: list[str] = []
    train(
        built(registry, features),
        features,
        SETTINGS,
        seed=0,
        checkpoints=attrs.evolve(kept, resume=True),
        on_message=messages.append,
    )
    assert messages == [f"{path}: goes on in epoch 2, after 0 of its batches"]


def test_a_training_that_has_ended_is_not_trained_again(registry: Registry, features: Features, path: Path) -> None:
    first, again = built(registry, features), built(registry, features)
    kept = CheckpointSettings(path=path, resume=True)
    result = train(first, features, SETTINGS, seed=0, checkpoints=kept)
    steps: list[StepReport] = []
    assert train(again, features, SETTINGS, seed=0, checkpoints=kept, on_step=steps.append) == result
    assert not steps
    assert same(first, again)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_training_after_its_batch_and_leaves_a_checkpoint_of_it(
    registry: Registry, features: Features, path: Path, number: signal.Signals
) -> None:
    undisturbed, ended = built(registry, features), built(registry, features)
    train(undisturbed, features, SETTINGS, seed=0)
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    steps: list[StepReport] = []

    def interrupt(report: StepReport) -> None:
        steps.append(report)
        if (report.epoch, report.step) == (2, 3):
            os.kill(os.getpid(), number)

    kept = CheckpointSettings(path=path)
    with pytest.raises(KeyboardInterrupt):
        train(ended, features, SETTINGS, seed=0, checkpoints=kept, on_step=interrupt)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers
    assert (steps[-1].epoch, steps[-1].step) == (2, 4)
    steps.clear()
    train(ended, features, SETTINGS, seed=0, checkpoints=attrs.evolve(kept, resume=True), on_step=steps.append)
    assert (steps[0].epoch, steps[0].step) == (2, 5)
    assert same(ended, undisturbed)


def test_an_interrupt_during_evaluation_ends_it_at_once_and_leaves_the_epoch_trained(
    registry: Registry, features: Features, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed, ended = built(registry, features), built(registry, features)
    train(undisturbed, features, SETTINGS, seed=0)

    def interrupted(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("it went on")

    kept = CheckpointSettings(path=path)
    monkeypatch.setattr("genre.modeling.processes.evaluate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(ended, features, SETTINGS, seed=0, checkpoints=kept)
    monkeypatch.undo()
    steps: list[StepReport] = []
    train(ended, features, SETTINGS, seed=0, checkpoints=attrs.evolve(kept, resume=True), on_step=steps.append)
    assert (steps[0].epoch, steps[0].step) == (2, 1)
    assert same(ended, undisturbed)


class AnotherAsks(OneProcess):
    """One of several processes, another of which is asked to end after an epoch's last batch."""

    def total(self, weights: Sequence[nn.Parameter], figures: Sequence[float], /) -> list[float]:
        """Only what is asked between two batches has no weights."""
        return list(figures) if weights else [figure + 1.0 for figure in figures]

    def evaluate(self, *_: object) -> Evaluation:
        """The other would not be there."""
        raise AssertionError("it went on")


def test_all_processes_end_before_an_evaluation_when_one_is_asked_to(
    registry: Registry, features: Features, path: Path
) -> None:
    undisturbed, ended = built(registry, features), built(registry, features)
    train(undisturbed, features, SETTINGS, seed=0)
    kept = CheckpointSettings(path=path)
    with pytest.raises(KeyboardInterrupt):
        train(ended, features, SETTINGS, seed=0, checkpoints=kept, processes=AnotherAsks())
    train(ended, features, SETTINGS, seed=0, checkpoints=attrs.evolve(kept, resume=True))
    assert same(ended, undisturbed)


def resumed(
    registry: Registry,
    features: Features,
    path: Path,
    settings: TrainingSettings = SETTINGS,
    *,
    name: str = "nrms",
    seed: int = 0,
) -> TrainingResult:
    kept = CheckpointSettings(path=path, resume=True)
    return train(built(registry, features, name), features, settings, seed=seed, checkpoints=kept)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"settings": attrs.evolve(SETTINGS, learning_rate=0.5)}, "training.learning_rate is 0.003 there and 0.5 here"),
        ({"seed": 9}, "seed is 0 there and 9 here"),
        ({"name": "lstur"}, "baseline.field_encoders.text is 'self-attention' there and 'cnn' here"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused_by_the_name_of_what_differs(
    registry: Registry, features: Features, path: Path, changed: dict[str, object], named: str
) -> None:
    resumed(registry, features, path, attrs.evolve(SETTINGS))
    with pytest.raises(UsageError, match="of another training") as raised:
        resumed(registry, features, path, **changed)  # type: ignore[arg-type]
    assert named in str(raised.value)
    assert raised.value.where == str(path)


def test_a_checkpoint_of_another_data_set_is_refused(registry: Registry, features: Features, path: Path) -> None:
    resumed(registry, features, path)
    half = features.dataset.impressions.head(60)
    other = attrs.evolve(features, dataset=attrs.evolve(features.dataset, impressions=half))
    with pytest.raises(UsageError, match=r"data set is '[0-9a-f]{32}' there and '[0-9a-f]{32}' here"):
        resumed(registry, other, path)


@pytest.mark.parametrize("content", [b"", b"\x00" * 40, b"no tensors", None])
def test_a_damaged_checkpoint_is_an_error_that_names_the_file(
    registry: Registry, features: Features, path: Path, content: bytes | None
) -> None:
    resumed(registry, features, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(UsageError, match="checkpoint") as raised:
        resumed(registry, features, path)
    assert raised.value.where == str(path)


@pytest.mark.parametrize("metadata", [None, {"genre": "{"}, {"genre": "[1]"}, {"genre": '{"format": 2}'}])
def test_tensors_that_are_no_checkpoint_are_an_error(
    registry: Registry, features: Features, path: Path, metadata: dict[str, str] | None
) -> None:
    path.parent.mkdir()
    safetensors.torch.save_file({"model.x": torch.zeros(1)}, path, metadata=metadata)
    with pytest.raises(UsageError, match="no checkpoint"):
        resumed(registry, features, path)


def test_a_checkpoint_that_the_disk_has_no_room_for_is_an_error(
    registry: Registry, features: Features, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object, **_named: object) -> None:
        raise safetensors.SafetensorError("No space left on device (os error 28)")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(RunError, match="the checkpoint cannot be written: No space left") as raised:
        train(
            built(registry, features), features, SETTINGS, seed=0, checkpoints=CheckpointSettings(path=path, minutes=0)
        )
    assert raised.value.where == str(path)
    assert not list(path.parent.iterdir())


def test_a_checkpoint_that_cannot_be_written_is_an_error(registry: Registry, features: Features, path: Path) -> None:
    path.parent.write_text("in the way")
    with pytest.raises(RunError, match="the checkpoint cannot be written"):
        train(
            built(registry, features), features, SETTINGS, seed=0, checkpoints=CheckpointSettings(path=path, minutes=0)
        )
