"""The MLflow runs of a run's cells: found again by tags, so that the same figures are there once."""

import re
import time
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from genre.errors import UsageError
from genre.staging import staged_file

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

FIGURES: Final = "genre.figures"
"""Tag: a hash of all figures of a finished cell."""
_FOLDER, _CELL = "genre.folder", "genre.cell"
_AT_ONCE: Final = 500

Figure = tuple[str, float, int]
"""Name, value, and step."""


@attrs.frozen(eq=False)
class CellRun:
    """An MLflow run of one cell, and which figures are in it: `(name, step)`."""

    run_id: str
    known: set[tuple[str, int]] = attrs.field(factory=set)


@attrs.frozen(eq=False)
class CellRuns:
    """Makes and finds MLflow runs of one experiment.

    Attributes:
        folder: what tells this run folder from all others, see `folder_id`.
    """

    client: "MlflowClient"
    experiment: str
    folder: str

    def of(self, cell: str) -> "list[Run]":
        """All runs of a cell that are not deleted."""
        tags = f"tags.`{_FOLDER}` = '{self.folder}' and tags.`{_CELL}` = '{cell}'"
        return list(self.client.search_runs([self.experiment], filter_string=tags))

    def start(self, cell: str, *, goes_on: bool) -> CellRun:
        """A run for the cell: the one that stopped, if its training goes on, and else a new one in its place."""
        stopped = [run for run in self.of(cell) if run.info.status != "FINISHED"]
        if goes_on and stopped:
            run = stopped.pop(0)
            self.client.update_run(run.info.run_id, status="RUNNING")
            histories = [self.client.get_metric_history(run.info.run_id, name) for name in run.data.metrics]
            started = CellRun(run.info.run_id, {(each.key, each.step) for history in histories for each in history})
        else:
            tags = {_FOLDER: self.folder, _CELL: cell}
            made = self.client.create_run(self.experiment, run_name=cell, tags=tags)
            started = CellRun(made.info.run_id)
        for run in stopped:
            self.client.delete_run(run.info.run_id)
        return started

    def log(
        self,
        run: CellRun,
        figures: Iterable[Figure] = (),
        *,
        params: Mapping[str, object] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Add what is not there yet."""
        from mlflow.entities import Metric, Param, RunTag

        now = int(time.time() * 1000)
        named = [(accepted(name), value, step) for name, value, step in figures]
        new = [Metric(name, value, now, step) for name, value, step in named if (name, step) not in run.known]
        run.known.update((each.key, each.step) for each in new)
        for start in range(0, len(new), _AT_ONCE):
            self.client.log_batch(run.run_id, metrics=new[start : start + _AT_ONCE])
        if params or tags:
            self.client.log_batch(
                run.run_id,
                params=[Param(accepted(name), str(value)) for name, value in (params or {}).items()],
                tags=[RunTag(name, value) for name, value in (tags or {}).items()],
            )


def accepted(name: str) -> str:
    """A name that MLflow takes on every system: `ndcg_at_5` for `ndcg@5`, as its own metrics are called."""
    return re.sub(r"[^/\w.\- ]", "_", name.replace("@", "_at_"))


def folder_id(folder: Path) -> str:
    """A random number that stays in the run folder: its path may be another run's on another machine.

    Raises:
        UsageError: something else is in the file.
        RunError: the file cannot be written.
    """
    path = folder / "mlflow-id.txt"
    if not path.exists():
        with staged_file(path, "id of the run folder") as staging:
            staging.write_text(uuid.uuid4().hex, encoding="ascii")
    said = path.read_text(encoding="utf-8", errors="replace")
    if not re.fullmatch("[0-9a-f]{32}", said):
        raise UsageError("not an id of a run folder", where=path, remedy="delete the file")
    return said
