"""A training by two workers of a real cluster comes out as in one process, also when a worker is killed."""

import json
import os
import signal
import threading
from pathlib import Path

import attrs
import pytest
from command_line import Genre
from modeling.trained_together import Course, Wanted, alone, arguments, of_an_executor
from ray_cluster import share_cluster, worker_processes

from genre.dataset import save_dataset
from genre.errors import RunError, UsageError
from genre.experiments import Observer
from genre.experiments.steps import read_dataset
from genre.experiments.training import TrainingCall, TrainingOutcome, train_by_executor, train_folder
from genre.generation import find_executor
from genre.modeling.executors import TrainingExecutor, TrainingWork
from genre.modeling.settings import TrainingSettings
from genre.options import structure
from genre.parts import EpochFinished
from genre.registry import Registry
from genre.testing.planted import planted_dataset

WITHOUT_DROPOUT = {"field_options": {"self-attention": {"dropout": 0.0}, "embedding": {"dropout": 0.0}}}


class Heard(Observer):
    """What was told, and what is done at the first step of an epoch."""

    def __init__(self, *, in_epoch: int = 0, do: object = None) -> None:
        self.steps: list[tuple[int, int]] = []
        self.losses: list[float] = []
        self.metrics: list[dict[str, float]] = []
        self.messages: list[str] = []
        self._epoch, self._do = in_epoch, do

    def on_steps(self, cell: str, epoch: int, done: int, total: int) -> None:
        self.steps.append((epoch, done))
        if epoch == self._epoch and callable(self._do):
            self._epoch = 0
            self._do()

    def on_epoch(self, cell: str, event: EpochFinished) -> None:
        self.losses.append(event.loss)
        self.metrics.append(dict(event.metrics))

    def on_message(self, text: str) -> None:
        self.messages.append(text)


@pytest.fixture
def call(tmp_path: Path) -> TrainingCall:
    save_dataset(planted_dataset(users=160), tmp_path / "data")
    user = {"user_options": {"dropout": 0.0}}
    return TrainingCall(
        data=tmp_path / "data",
        out=tmp_path / "model",
        baseline="nrms",
        options={
            "training": {"epochs": 3, "batch_size": 7, "patience": 3},
            "baseline": {"dim": 16, **WITHOUT_DROPOUT, **user},
        },
        place=tmp_path,
        cache=tmp_path / "cache",
        minutes=0,
    )


def trained(call: TrainingCall, observer: Observer) -> TrainingOutcome:
    share_cluster()
    return train_by_executor(Registry.load(), call, "ray", observer=observer)


@pytest.mark.slow
def test_two_workers_have_the_losses_and_figures_of_one_process(call: TrainingCall) -> None:
    alone, together = Heard(), Heard()
    expected = train_folder(Registry.load(), attrs.evolve(call, out=call.out.with_name("alone")), observer=alone)
    outcome = trained(call, together)
    assert together.losses == pytest.approx(alone.losses, abs=1e-5)
    assert together.metrics == alone.metrics
    assert together.steps == alone.steps
    assert outcome == expected
    # The model, and nothing else, is left.
    assert {path.name for path in call.out.parent.iterdir()} == {"data", "cache", "alone", "model"}


@pytest.mark.slow
def test_a_hundred_steps_on_real_data_have_the_losses_of_one_process(shared_data: Path, tmp_path: Path) -> None:
    dataset = read_dataset(Registry.load(), "mind", {"folder": str(shared_data / "goodreads")})
    save_dataset(dataset, tmp_path / "data")
    settings = TrainingSettings(batch_size=64, stop_split=None, pool="split")
    executor = find_executor(Registry.load(), "ray")
    assert isinstance(executor, TrainingExecutor)
    share_cluster()
    for baseline in ("nrms", "lstur", "din"):
        wanted = Wanted(data=tmp_path / "data", baseline=baseline, training=settings, steps=100)
        entry = f"{of_an_executor.__module__}:{of_an_executor.__name__}"
        work = TrainingWork(Registry.load(), entry, arguments(wanted), lambda _: None, tmp_path / "scratch")
        course = structure(json.loads(executor.train(work)), Course, "ray")
        assert len(course.losses) == 100
        assert course.losses == pytest.approx(alone(wanted).losses, abs=1e-4)


@pytest.mark.slow
def test_a_killed_worker_costs_the_batches_since_the_last_checkpoint(call: TrainingCall) -> None:
    def kill() -> None:
        os.kill(worker_processes("RayTrainWorker")[-1], signal.SIGKILL)

    undisturbed, killed = Heard(), Heard(in_epoch=2, do=kill)
    expected = trained(attrs.evolve(call, out=call.out.with_name("undisturbed")), undisturbed)
    assert trained(call, killed) == expected
    assert killed.losses[-1] == undisturbed.losses[-1]
    assert any("goes on in epoch" in message for message in killed.messages)
    weights = [folder / "model.safetensors" for folder in (call.out, call.out.with_name("undisturbed"))]
    assert weights[0].read_bytes() == weights[1].read_bytes()


@pytest.mark.slow
def test_an_interrupt_leaves_a_checkpoint_that_the_same_call_goes_on_from(call: TrainingCall) -> None:
    def interrupt() -> None:  # while the program waits
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()

    interrupted, resumed = Heard(in_epoch=2, do=interrupt), Heard()
    call = attrs.evolve(call, options={**call.options, "training": {"epochs": 60, "batch_size": 7, "patience": 60}})
    with pytest.raises(KeyboardInterrupt):
        trained(call, interrupted)
    assert call.checkpoint.exists()
    assert len(interrupted.losses) < 60
    assert not interrupted.messages  # it was not begun again
    other = {"epochs": 61, "batch_size": 7, "patience": 60}
    changed = attrs.evolve(call, options={**call.options, "training": other}, resume=True)
    with pytest.raises(UsageError, match=r"training\.epochs is 60 there and 61 here"):
        trained(changed, resumed)
    assert worker_processes("RayTrainWorker") == []


@pytest.mark.slow
def test_an_error_of_the_workers_is_told_as_in_one_process(call: TrainingCall) -> None:
    rate = {"epochs": 3, "batch_size": 7, "learning_rate": 1e30}
    with pytest.raises(RunError, match=r"the loss is (nan|inf)"):
        trained(attrs.evolve(call, options={**call.options, "training": rate}), Observer())


def test_a_wrong_option_is_told_before_anything_starts(genre: Genre, small_folder: Path) -> None:
    arguments = ("train", small_folder, "--baseline", "nrms", "--out", "model", "--executor", "ray")
    outcome = genre(*arguments, "-o", "training.epoch=3")
    assert outcome.code == 2
    assert "epoch" in outcome.err
    outcome = genre(*arguments[:-1], "ra")
    assert outcome.code == 2
    assert "no executor 'ra'" in outcome.err


def test_the_executor_local_trains_here(genre: Genre, tmp_path: Path) -> None:
    save_dataset(planted_dataset(users=20), tmp_path / "data")
    arguments = ("train", "data", "--baseline", "nrms", "-o", "training.epochs=1", "-o", "baseline.dim=16")
    assert genre(*arguments, "--out", "here", "--executor", "local").code == 0
    assert genre(*arguments, "--out", "there").code == 0
    assert Path("here/model.safetensors").read_bytes() == Path("there/model.safetensors").read_bytes()
