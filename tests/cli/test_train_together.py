"""`genre train` under torchrun: one model, one voice, and a checkpoint when it is stopped."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from genre.dataset import save_dataset
from genre.errors import UsageError
from genre.modeling.training_checkpoint import read_checkpoint
from genre.testing.planted import planted_dataset

pytestmark = pytest.mark.slow

CALL = ("-m", "genre", "train", "data", "--baseline", "nrms", "-o", "baseline.dim=16", "-o", "training.batch_size=7")
CHECKPOINT = "model-checkpoint.safetensors"


@pytest.fixture(autouse=True)
def data(tmp_path: Path) -> None:
    save_dataset(planted_dataset(users=160), tmp_path / "data")


def torchrun(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *CALL, *arguments],
        cwd=folder,
        env={**os.environ, "XDG_CONFIG_HOME": str(folder / "no-config"), "OMP_NUM_THREADS": "1"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    try:
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
    return process.returncode, out, err


def wait_for_epoch(process: "subprocess.Popen[str]", checkpoint: Path, epoch: int) -> None:
    for _ in range(6000):
        assert process.poll() is None, process.communicate()
        try:
            state = read_checkpoint(checkpoint).state
        except UsageError:
            state = None
        if state and state.epoch >= epoch:
            return
        time.sleep(0.01)
    raise AssertionError("no such checkpoint")


def workers_of(process: "subprocess.Popen[str]") -> list[int]:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(child) for child in children]


def test_one_of_the_processes_speaks(tmp_path: Path) -> None:
    code, out, err = ended(torchrun(tmp_path, "--out", "model", "-o", "training.epochs=1"))
    assert code == 0, err
    assert out.splitlines() == [line for line in out.splitlines() if line.startswith("model: epoch 1 of 1 is best")]
    assert len(out.splitlines()) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"data", "model", ".genre"}


@pytest.mark.parametrize("way", ["interrupt", "kill a process", "kill all"])
def test_processes_that_are_stopped_go_on_to_the_very_same_model(tmp_path: Path, way: str) -> None:
    options = ("-o", "training.epochs=3", "-o", "training.patience=3", "--checkpoint-minutes", "0")
    code, _, err = ended(torchrun(tmp_path, "--out", "undisturbed", *options))
    assert code == 0, err
    process = torchrun(tmp_path, "--out", "model", *options)
    wait_for_epoch(process, tmp_path / CHECKPOINT, 2)
    workers = workers_of(process)
    assert len(workers) == 2
    if way == "interrupt":
        process.send_signal(signal.SIGINT)
    else:
        if way == "kill all":
            process.kill()
        for worker in workers if way == "kill all" else workers[1:]:
            os.kill(worker, signal.SIGKILL)
    code, _, _ = ended(process)
    assert code != 0
    assert not (tmp_path / "model").exists()
    code, _, err = ended(torchrun(tmp_path, "--out", "model", *options, "--resume"))
    assert code == 0, err
    assert "goes on in epoch" in err
    weights = [tmp_path / name / "model.safetensors" for name in ("model", "undisturbed")]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    process = torchrun(tmp_path, "--out", "model", "-o", "training.epochs=9", "--checkpoint-minutes", "0")
    wait_for_epoch(process, tmp_path / CHECKPOINT, 1)
    process.send_signal(signal.SIGINT)
    ended(process)
    code, _, err = ended(torchrun(tmp_path, "--out", "model", "-o", "training.epochs=8", "--resume"))
    assert code != 0
    assert "training.epochs is 9 there and 8 here" in err
