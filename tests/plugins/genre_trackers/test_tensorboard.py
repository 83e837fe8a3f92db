"""The tracker `tensorboard`, read back with TensorBoard's own reader."""

import sys
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tracked_runs import Curve, cell, epoch, epochs_of, finals_of, made, run_tracked, tell

from genre.errors import UsageError
from genre.parts import RunFinished, RunStopped, TrackedRun

CELLS = ("original-nrms-0", "original-nrms-1")


def scalars(folder: Path) -> dict[str, Curve]:
    """Every curve of a log directory."""
    found = EventAccumulator(str(folder)).Reload()
    return {tag: [(each.step, each.value) for each in found.Scalars(tag)] for tag in found.Tags()["scalars"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was called twice: the second call found its trainings finished."""
    folder = tmp_path_factory.mktemp("run")
    run_tracked(folder, ["tensorboard"])
    assert run_tracked(folder, ["tensorboard"]).reused_cells == 2
    return folder


@pytest.fixture
def run(tmp_path: Path) -> TrackedRun:
    return TrackedRun("tiny", tmp_path / "runs")


@pytest.mark.parametrize("name", CELLS)
def test_a_log_directory_has_the_learning_curve_of_its_cell(folder: Path, name: str) -> None:
    shown = scalars(folder / "runs" / "tensorboard" / name)
    expected = epochs_of(folder, name)
    assert len(expected["epoch/loss"]) == 2
    for tag, curve in expected.items():
        assert shown[tag] == [(step, pytest.approx(value, rel=1e-6)) for step, value in curve]


@pytest.mark.parametrize("name", [*CELLS, "original-popularity"])
def test_a_log_directory_has_the_results_of_its_cell(folder: Path, name: str) -> None:
    shown = scalars(folder / "runs" / "tensorboard" / name)
    expected = finals_of(folder, name)
    assert len(expected) == 2 * 3 * 4  # splits, segments, metrics
    last = 0 if name == "original-popularity" else 2
    assert {tag: curve for tag, curve in shown.items() if not tag.startswith("epoch/")} == {
        tag: [(last, pytest.approx(value, rel=1e-6))] for tag, value in expected.items()
    }


def test_hyper_parameters_tell_variant_baseline_and_seed(folder: Path) -> None:
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    found = EventAccumulator(str(folder / "runs" / "tensorboard" / "original-nrms-1")).Reload()
    content = found.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    values = HParamsPluginData.FromString(content).session_start_info.hparams
    assert {name: values[name].string_value for name in values} == {
        "variant": "original", "baseline": "nrms", "seed": "1"
    }  # fmt: skip


def test_what_is_told_is_on_disk_at_once(run: TrackedRun) -> None:
    tracker = made("tensorboard", run)
    tell(tracker, epoch(1))
    assert scalars(run.folder / "tensorboard" / "original-nrms-0")["epoch/loss"] == [(1, 1.0)]
    tell(tracker, RunStopped("failed", "test"))


def test_a_training_that_goes_on_is_one_curve(run: TrackedRun) -> None:
    tell(made("tensorboard", run), epoch(1), epoch(2, loss=9.0), RunStopped("interrupted", "test"))
    tell(made("tensorboard", run), epoch(2), epoch(3), RunStopped("interrupted", "test"))
    assert scalars(run.folder / "tensorboard" / "original-nrms-0")["epoch/loss"] == [(1, 1.0), (2, 2.0), (3, 3.0)]


def test_a_training_that_was_begun_without_the_tracker_is_whole_in_the_end(run: TrackedRun) -> None:
    end = cell(epoch(1), epoch(2))
    tell(made("tensorboard", run), epoch(2), end, RunFinished("tiny", run.folder, end.rows))
    shown = scalars(run.folder / "tensorboard" / "original-nrms-0")
    assert (shown["epoch/loss"], shown["test/all/auc"]) == ([(1, 1.0), (2, 2.0)], [(2, 0.75)])


def test_a_training_that_starts_again_replaces_the_first(run: TrackedRun) -> None:
    tell(made("tensorboard", run), epoch(1), epoch(2), RunStopped("interrupted", "test"))
    tell(made("tensorboard", run), epoch(1, loss=5.0), RunStopped("interrupted", "test"))
    assert scalars(run.folder / "tensorboard" / "original-nrms-0")["epoch/loss"] == [(1, 5.0)]


def test_an_epoch_that_a_lost_process_told_before_is_shown_once(run: TrackedRun) -> None:
    tell(made("tensorboard", run), epoch(1), epoch(2), epoch(1), epoch(2), epoch(3), RunStopped("failed", "test"))
    assert scalars(run.folder / "tensorboard" / "original-nrms-0")["epoch/loss"] == [(1, 1.0), (2, 2.0), (3, 3.0)]


def test_runs_may_share_a_folder(run: TrackedRun, tmp_path: Path) -> None:
    tell(made("tensorboard", run, folder=str(tmp_path / "all")), epoch(1), RunStopped("failed", "test"))
    other = TrackedRun(run.name, tmp_path / "again")
    tell(made("tensorboard", other, folder=str(tmp_path / "all")), epoch(1, loss=5.0), RunStopped("failed", "test"))
    for name, loss in ((run.folder.name, 1.0), ("again", 5.0)):
        assert scalars(tmp_path / "all" / name / "original-nrms-0")["epoch/loss"] == [(1, loss)]
    assert not run.folder.exists()


def test_only_event_files_are_replaced(run: TrackedRun) -> None:
    place = run.folder / "tensorboard" / "original-nrms-0"
    place.mkdir(parents=True)
    (place / "notes.txt").write_text("mine")
    tell(made("tensorboard", run), epoch(1), RunStopped("failed", "test"))
    assert (place / "notes.txt").read_text() == "mine"


def test_a_missing_package_is_told_with_the_extra(run: TrackedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(UsageError, match=r"(?s)'tensorboard' needs the package tensorboard.*genre-rec\[trackers\]"):
        made("tensorboard", run)
