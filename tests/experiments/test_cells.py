"""Cells of a run: at once or one after the other, interrupted, and gone on with."""

import json
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
import torch
from command_line import Genre
from small_experiment import SMALL_SAMPLE

from genre.dataset import Dataset, save_dataset
from genre.errors import UsageError
from genre.experiments.cells import CellJob, run_cell, run_cell_in_process, run_cells_at_once
from genre.experiments.models import CellPlan
from genre.experiments.observer import Observer
from genre.experiments.results import Cell
from genre.modeling import FeatureSettings, TrainingSettings
from genre.modeling.executors import Jobs
from genre.registry import Registry
from genre.testing.planted import planted_dataset


@pytest.fixture
def dataset() -> Dataset:
    return planted_dataset(users=30)


@pytest.fixture
def job(dataset: Dataset, tmp_path: Path) -> CellJob:
    save_dataset(dataset, tmp_path / "data")
    plan = CellPlan(
        cell=Cell("original", "nrms", 0),
        baseline=attrs.evolve(Registry.load().baseline("nrms"), dim=16),
        features=FeatureSettings(),
        training=TrainingSettings(epochs=2, patience=2, batch_size=7),
        report=("dev",),
    )
    return CellJob(plan, plan.key(dataset), tmp_path / "data", tmp_path / "cell", tmp_path / "cache")


@pytest.fixture
def threads_of_a_process() -> Iterator[None]:
    """So many as each of two processes takes: sums differ in their last digits with another number."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, (torch.multiprocessing.cpu_count()) // 2))
    yield
    torch.set_num_threads(before)


def other(job: CellJob, dataset: Dataset, seed: int, folder: str) -> CellJob:
    plan = attrs.evolve(job.plan, cell=attrs.evolve(job.plan.cell, seed=seed))
    return attrs.evolve(job, plan=plan, key=plan.key(dataset), folder=job.folder.with_name(folder))


class EndsAt(Observer):
    """Asks for an end at a step of an epoch."""

    def __init__(self, epoch: int, step: int) -> None:
        self._place = (epoch, step)
        self.reached = False
        self.messages: list[str] = []

    def on_steps(self, cell: str, epoch: int, done: int, total: int) -> None:
        self.reached |= (epoch, done) == self._place

    def on_message(self, text: str) -> None:
        self.messages.append(text)


@pytest.mark.usefixtures("threads_of_a_process")
def test_cells_at_once_have_the_results_of_one_after_the_other(job: CellJob, dataset: Dataset) -> None:
    jobs = [other(job, dataset, seed, f"at-once-{seed}") for seed in range(3)]
    run_cells_at_once(Registry.load(), jobs, Observer(), at_once=2, executor="local")
    for seed, each in enumerate(jobs):
        alone = other(job, dataset, seed, f"alone-{seed}")
        run_cell(Registry.load(), alone, dataset, Observer())
        assert each.rows() == alone.rows()
        for name in ("result.json", "model/model.safetensors"):
            assert (each.folder / name).read_bytes() == (alone.folder / name).read_bytes()


def test_an_interrupted_cell_goes_on_where_it_was(job: CellJob, dataset: Dataset) -> None:
    undisturbed = attrs.evolve(job, folder=job.folder.with_name("undisturbed"))
    run_cell(Registry.load(), undisturbed, dataset, Observer())
    first = EndsAt(epoch=2, step=3)
    with pytest.raises(KeyboardInterrupt):
        run_cell(Registry.load(), job, dataset, first, asked_to_end=lambda: first.reached)
    assert job.finished() is None
    second = EndsAt(epoch=9, step=9)
    run_cell(Registry.load(), job, dataset, second)
    assert "goes on in epoch 2, after" in second.messages[0]
    assert (job.folder / "result.json").read_bytes() == (undisturbed.folder / "result.json").read_bytes()
    assert not list(job.folder.glob("checkpoint*"))


def test_a_checkpoint_of_another_training_is_not_gone_on_from(job: CellJob, dataset: Dataset) -> None:
    first = EndsAt(epoch=1, step=3)
    with pytest.raises(KeyboardInterrupt):
        run_cell(Registry.load(), job, dataset, first, asked_to_end=lambda: first.reached)
    changed = attrs.evolve(other(job, dataset, 1, "cell"), folder=job.folder)
    second = EndsAt(epoch=9, step=9)
    run_cell(Registry.load(), changed, dataset, second)
    assert not second.messages
    assert not list(job.folder.glob("checkpoint*"))


def test_a_damaged_result_is_told(job: CellJob) -> None:
    job.folder.mkdir()
    (job.folder / "result.json").write_text("{}")
    with pytest.raises(UsageError, match="not a cell's result"):
        job.finished()


def test_a_cell_without_a_result_has_no_rows(job: CellJob) -> None:
    with pytest.raises(UsageError, match="the cell has no result"):
        job.rows()


EXPERIMENT = (
    """
name = "at-once"
baselines = ["nrms", "dcn"]
seeds = [0]
report = ["test"]
"""
    + SMALL_SAMPLE
    + """
[training]
epochs = 1

[[variants]]
name = "original"

[[variants]]
name = "again"
baselines = ["dcn"]
"""
)


def test_jobs_of_the_command_line_run_at_once_and_are_not_run_again(genre: Genre, tmp_path: Path) -> None:
    (tmp_path / "at-once.toml").write_text(EXPERIMENT)
    outcome = genre("run", tmp_path / "at-once.toml", "--jobs", "2", "--json")
    assert outcome.code == 0, outcome.err
    rows = json.loads(outcome.out)["rows"]
    trained = {(row["variant"], row["baseline"], row["seed"]) for row in rows if row["seed"] is not None}
    assert trained == {("original", "nrms", 0), ("original", "dcn", 0), ("again", "dcn", 0)}
    again = genre("run", tmp_path / "at-once.toml", "--jobs", "2")
    assert "3 finished trainings were not run again" in again.out


def test_what_is_left_of_a_run_has_the_share_of_threads_that_the_others_had(
    genre: Genre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "at-once.toml").write_text(EXPERIMENT)
    assert genre("run", tmp_path / "at-once.toml").code == 0
    Path("runs/at-once/cells/again-dcn-0/result.json").unlink()
    asked: list[Jobs] = []

    def run_here(jobs: Jobs) -> None:
        asked.append(jobs)
        for arguments in jobs.arguments:
            run_cell_in_process(arguments, jobs.registry, _Watch())

    monkeypatch.setattr("genre_executors.processes.run_in_processes", run_here)
    assert genre("run", tmp_path / "at-once.toml", "--jobs", "2").code == 0
    assert [(jobs.at_once, len(jobs.arguments)) for jobs in asked] == [(2, 1)]


class _Watch:
    restarted = False

    def tell(self, event: str) -> None:
        """Nobody listens."""

    def asked_to_end(self) -> bool:
        return False


ANSWERS_ONLY = """
from genre import hookimpl
from genre.parts import Part
from genre_executors.local import LocalExecutor


class AnswersOnly:
    def __init__(self, options):
        self.open = LocalExecutor(options).open


@hookimpl
def genre_executors():
    yield Part(name="answers-only", summary="No jobs", target="genre_local_answers_only:AnswersOnly")
"""


@pytest.mark.parametrize("default", [True, False])
def test_an_executor_that_runs_no_jobs_is_told_before_the_first_call(
    genre: Genre, fake_plugin: Path, *, default: bool
) -> None:
    (fake_plugin / "mine" / "answers_only.py").write_text(ANSWERS_ONLY)
    rounds = '\n[[variants]]\nname = "profiled"\nrounds = [{ task = "user-profiler", limit = 3 }]\n'
    (fake_plugin / "at-once.toml").write_text(EXPERIMENT + rounds)
    where = ("--set", "defaults.executor=answers-only") if default else ("--executor", "answers-only")
    outcome = genre("run", fake_plugin / "at-once.toml", "--jobs", "2", *where)
    assert outcome.code == 2
    assert "runs no trainings side by side" in outcome.err
    assert not Path(".genre/answers.sqlite").exists()


def test_a_variant_cannot_name_a_baseline_that_is_not_trained(genre: Genre, tmp_path: Path) -> None:
    (tmp_path / "at-once.toml").write_text(EXPERIMENT.replace('baselines = ["dcn"]', 'baselines = ["din"]'))
    outcome = genre("run", tmp_path / "at-once.toml")
    assert outcome.code == 2
    assert "the variant 'again' names a baseline 'din', which the experiment does not train" in outcome.err


def test_a_model_has_no_figures_of_an_earlier_one_beside_it(
    job: CellJob, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    run_cell(Registry.load(), job, dataset, Observer())
    assert (job.folder / "result.json").is_file()
    monkeypatch.setattr("genre.experiments.cells.evaluate_model", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_cell(Registry.load(), other(job, dataset, 1, job.folder.name), dataset, Observer())
    assert (job.folder / "model" / "model.json").is_file()
    assert not (job.folder / "result.json").exists()
