"""`genre train` is stopped, and goes on to the very same model: real processes, really killed."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from command_line import Genre, run_genre, start_genre

from genre.dataset import save_dataset
from genre.errors import UsageError
from genre.experiments import read_dataset
from genre.modeling.training_checkpoint import read_checkpoint
from genre.registry import Registry

SMALL = {"news": 60, "users": 30, "train": 50, "dev": 20, "test": 20}
QUICK = (
    "-o",
    "training.epochs=3",
    "-o",
    "training.batch_size=4",
    "-o",
    "features.texts={title=8}",
    "-o",
    "baseline.dim=16",
)
CHECKPOINT = "model-checkpoint.safetensors"


@pytest.fixture(autouse=True)
def data(tmp_path: Path) -> Path:
    save_dataset(read_dataset(Registry.load(), "sample", SMALL), tmp_path / "data")
    return tmp_path / "data"


def call(out: str = "model", baseline: str = "nrms") -> tuple[str, ...]:
    return "train", "data", "--baseline", baseline, "--out", out, *QUICK


def wait_for(process: "subprocess.Popen[str]", checkpoint: Path, epoch: int, step: int) -> None:
    """Until the checkpoint is there, or further."""
    for _ in range(6000):
        assert process.poll() is None, process.communicate()
        try:
            state = read_checkpoint(checkpoint).state
        except UsageError:
            state = None
        if state and (state.epoch, state.step) >= (epoch, step):
            return
        time.sleep(0.01)
    raise AssertionError("no such checkpoint")


@pytest.mark.slow
@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("baseline", ["nrms", "lstur"])
def test_a_training_that_was_stopped_in_its_second_epoch_ends_with_the_model_of_one_that_was_not(
    tmp_path: Path, way: signal.Signals, baseline: str
) -> None:
    assert run_genre(tmp_path, *call("undisturbed", baseline)).code == 0
    with start_genre(tmp_path, *call(baseline=baseline), "--checkpoint-minutes", "0") as process:
        wait_for(process, tmp_path / CHECKPOINT, 2, 5)
        process.send_signal(way)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == (-signal.SIGKILL if way == signal.SIGKILL else 130)
    if way == signal.SIGINT:
        assert f"{CHECKPOINT}: --resume goes on from here" in errors
    assert not (tmp_path / "model").exists()
    assert read_checkpoint(tmp_path / CHECKPOINT).state.epoch == 2
    resumed = run_genre(tmp_path, *call(baseline=baseline), "--resume")
    assert resumed.code == 0, resumed.err
    for name in ("model.safetensors", "model.json", "vocabulary.json"):
        assert (tmp_path / "model" / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes()
    assert not [path for path in tmp_path.iterdir() if "checkpoint" in path.name]


def interrupted(genre: Genre, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a checkpoint in the first epoch, as Ctrl-C does."""
    from genre.modeling.interrupts import Interrupts

    with monkeypatch.context() as patch:
        patch.setattr(Interrupts, "requested", True)
        outcome = genre(*call())
    assert outcome.code == 130
    assert Path(CHECKPOINT).exists()


def test_resuming_with_another_setting_is_refused_by_its_name(genre: Genre, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(genre, monkeypatch)
    outcome = genre(*call(), "--resume", "-o", "training.learning_rate=0.5")
    assert outcome.code == 2
    assert "training.learning_rate is 0.003 there and 0.5 here" in outcome.err
    assert Path(CHECKPOINT).exists()


def test_resuming_with_other_data_is_refused_by_name(genre: Genre, monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    interrupted(genre, monkeypatch)
    save_dataset(read_dataset(Registry.load(), "sample", {**SMALL, "dev": 21}), data)
    outcome = genre(*call(), "--resume")
    assert outcome.code == 2
    assert "data set is '" in outcome.err


def test_resuming_goes_on_and_says_where(genre: Genre, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(genre, monkeypatch)
    outcome = genre(*call(), "--resume")
    assert outcome.code == 0
    assert "goes on in epoch 1, after 1 of its batches" in outcome.err
    assert not Path(CHECKPOINT).exists()


def test_without_resume_a_checkpoint_is_replaced_and_that_is_said(
    genre: Genre, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(genre, monkeypatch)
    outcome = genre(*call())
    assert outcome.code == 0
    assert "--resume would go on from it" in outcome.err


def test_resuming_what_never_began_begins_it(genre: Genre) -> None:
    outcome = genre(*call(), "--resume")
    assert outcome.code == 0
    assert "no checkpoint is there" in outcome.err


def test_resuming_what_has_ended_is_an_error(genre: Genre) -> None:
    assert genre(*call()).code == 0
    outcome = genre(*call(), "--resume")
    assert outcome.code == 2
    assert "there is nothing to resume" in outcome.err


def test_a_profile_tells_where_the_time_of_a_training_went(tmp_path: Path) -> None:
    run_genre(tmp_path, *call(), "--profile", "profile.json")
    told = json.loads((tmp_path / "profile.json").read_text())
    phases = {"preparation", "batches", "forward", "backward", "update", "evaluation", "checkpoint", "other"}
    assert phases <= set(told["seconds"])
    assert "aten::bmm" in {operator["name"] for operator in told["operators"]}
