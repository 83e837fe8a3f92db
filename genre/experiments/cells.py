"""The cells of a run: each trains a baseline on a variant with a seed, and evaluates it. A finished one stays."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs

from genre.dataset import Dataset, load_dataset
from genre.errors import UsageError
from genre.experiments.inputs import inputs_of
from genre.experiments.models import CellPlan, evaluate_model, train_model
from genre.experiments.observer import Announcer, Observer
from genre.experiments.results import (
    CELL_RESULT,
    cell_result,
    finished_cell,
    impressions_file,
    result_rows,
    write_json,
)
from genre.experiments.telling import Teller, hear
from genre.generation import find_executor
from genre.modeling import CheckpointSettings, save_model
from genre.modeling.executors import JobExecutor, Jobs, Watch
from genre.options import structure
from genre.registry import Registry
from genre.staging import staged_file

Row = dict[str, object]
"""A row of `results.json`."""


@attrs.frozen
class CellJob:
    """A cell that is asked for: plain data, which another process understands.

    Attributes:
        plan: what decides the training, its data set apart.
        key: hash of all that decides it, see `CellPlan.key`.
        data: folder of the variant's data set.
        folder: the cell's own.
        cache: folder for prepared features.
    """

    plan: CellPlan
    key: str
    data: Path
    folder: Path
    cache: Path | None = None

    @property
    def checkpoint(self) -> Path:
        """What the training is kept in until it is done; of this one and no other, whatever was asked for before."""
        return self.folder / f"checkpoint-{self.key}.safetensors"

    def finished(self) -> list[Row] | None:
        """The rows of the cell, if it was done before.

        Raises:
            UsageError: its file is damaged.
        """
        if not (self.folder / CELL_RESULT).is_file():
            return None
        with cell_result(self.folder) as result:
            return list(result["rows"]) if result["key"] == self.key else None

    def rows(self) -> list[Row]:
        """The rows of the cell, which is done.

        Raises:
            UsageError: it is not.
        """
        rows = self.finished()
        if rows is None:
            raise UsageError("the cell has no result", where=self.folder, remedy="run again")
        return rows


def run_cell(
    registry: Registry,
    job: CellJob,
    dataset: Dataset,
    observer: Observer,
    asked_to_end: Callable[[], bool] | None = None,
) -> None:
    """Train and evaluate, and leave `model/`, the figures of every impression and `result.json` in the cell's folder.

    A training that was interrupted or killed goes on from its last checkpoint.

    Raises:
        GenreError: as `train_model`.
        KeyboardInterrupt: it was interrupted, or asked to end; the checkpoint is there.
    """
    job.folder.mkdir(parents=True, exist_ok=True)
    checkpoints = CheckpointSettings(path=job.checkpoint, resume=job.checkpoint.exists())
    trained = train_model(
        registry,
        dataset,
        job.plan,
        cache=job.cache,
        observer=observer,
        checkpoints=checkpoints,
        asked_to_end=asked_to_end,
    )
    # An earlier training's figures are none of this model's.
    (job.folder / CELL_RESULT).unlink(missing_ok=True)
    save_model(job.folder / "model", trained.model)
    rows: list[Row] = []
    for each in evaluate_model(trained.model, dataset, job.plan.report, cache=job.cache):
        with staged_file(job.folder / impressions_file(each.split), "figures of the impressions") as staging:
            each.impressions.write_parquet(staging)
        rows.extend(result_rows(job.plan.cell, each.split, each.summary, leaked=dataset.leaked))
    training = {**attrs.asdict(trained.result), "word_vector_share": trained.word_vector_share}
    result = {"key": job.key, "rows": rows, "training": training, "inputs": inputs_of(trained.model)}
    # Written last: a cell with this file is finished.
    write_json(job.folder / CELL_RESULT, result)
    for checkpoint in job.folder.glob("checkpoint-*.safetensors"):  # and those of trainings that nobody asks for now
        checkpoint.unlink()
    observer.on_cell(job.plan.cell.name, finished_cell(job.plan.cell, job.folder))


def find_job_executor(registry: Registry, executor: str | None) -> JobExecutor:
    """An executor that cells can run on at once.

    Args:
        executor: a name as for `genre.generation.find_executor`.

    Raises:
        UsageError: there is no such executor, or it runs no jobs.
    """
    found = find_executor(registry, executor)
    if not isinstance(found, JobExecutor):
        said = "of [defaults]" if executor is None else repr(executor)
        raise UsageError(
            f"the executor {said} runs no trainings side by side", remedy="leave --jobs out, or name another one"
        )
    return found


def run_cells_at_once(
    registry: Registry, jobs: Sequence[CellJob], observer: Observer, *, at_once: int, executor: str | None
) -> None:
    """Run cells, several at a time, each in a process of its own. Folders are the same for all of them.

    Args:
        executor: as of `find_job_executor`.

    Raises:
        UsageError: as `find_job_executor`.
        GenreError: a cell failed, or its process was lost. Those that were under way are kept.
        KeyboardInterrupt: as `run_cell`.
    """
    found = find_job_executor(registry, executor)
    announcer = Announcer(registry, observer)
    arguments = [json.dumps(attrs.asdict(_located(job)), default=str) for job in jobs]
    found.run_jobs(
        Jobs(
            registry=registry,
            entry="genre.experiments.cells:run_cell_in_process",
            arguments=arguments,
            at_once=at_once,
            on_event=lambda event: hear(announcer, event),
        )
    )


def run_cell_in_process(arguments: str, registry: Registry, watch: Watch) -> None:
    """What each process of an executor calls, see `genre.modeling.executors.Jobs`."""
    job = structure(json.loads(arguments), CellJob, "a cell")
    run_cell(registry, job, load_dataset(job.data), Teller(watch.tell), watch.asked_to_end)


def _located(job: CellJob) -> CellJob:
    """The same with paths that do not depend on the working directory."""
    cache = job.cache and job.cache.resolve()
    return attrs.evolve(job, data=job.data.resolve(), folder=job.folder.resolve(), cache=cache)
