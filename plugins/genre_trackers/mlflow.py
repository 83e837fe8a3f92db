"""`mlflow`: an experiment for each run, and in it an MLflow run for each cell."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

import attrs

from genre.errors import UsageError
from genre.parts import (
    CellFinished,
    EpochFinished,
    RoundFinished,
    RunEvent,
    RunPlan,
    RunStopped,
    TrackedRun,
    canonical_json,
)
from genre_trackers.figures import epoch_figures, final_figures
from genre_trackers.mlflow_cells import FIGURES, CellRun, CellRuns, Figure, folder_id
from genre_trackers.mlflow_library import connected, import_mlflow

DATABASE: Final = "mlflow.sqlite"
_STATUS: Final = {"failed": "FAILED", "interrupted": "KILLED"}


@attrs.frozen
class MlflowOptions:
    """
    Attributes:
        tracking_uri: a server or a database, as MLflow writes it; default: a SQLite file in the run folder.
        experiment: name of the MLflow experiment; default: the run's.
    """

    tracking_uri: str | None = None
    experiment: str | None = None


class MlflowTracker:
    """Figures of epochs with their number as step, final ones at the last; variant, baseline, seed and settings.

    A finished cell is there once for each set of figures: one that is reused is found by its tags, one whose training
    goes on continues its MLflow run, and one that starts again takes the place of what did not end.
    """

    def __init__(self, options: MlflowOptions, run: TrackedRun) -> None:
        import_mlflow()
        self._options = options
        self._run = run
        self._experiment: Mapping[str, object] = {}
        self._rounds: dict[str, list[RoundFinished]] = {}
        self._runs: CellRuns | None = None
        self._open: dict[str, CellRun] = {}

    def track(self, event: RunEvent) -> None:
        """Log what it says of a cell."""
        if isinstance(event, RunPlan):
            self._experiment = event.experiment
            self._runs = self._connected()
        elif isinstance(event, RoundFinished):
            self._rounds.setdefault(event.variant, []).append(event)
        elif isinstance(event, EpochFinished):
            if event.cell not in self._open:
                self._open[event.cell] = self._cells.start(event.cell, goes_on=event.epoch > 1)
            self._cells.log(self._open[event.cell], _of_epochs([event]))
        elif isinstance(event, CellFinished):
            self._finish(event)
        elif isinstance(event, RunStopped):
            for run in self._open.values():
                self._cells.client.set_terminated(run.run_id, _STATUS[event.status])

    @property
    def _cells(self) -> CellRuns:
        assert self._runs is not None  # the plan comes first
        return self._runs

    def _connected(self) -> CellRuns:
        database = (self._run.folder / DATABASE).resolve()
        if "?" in str(database) and not self._options.tracking_uri:
            raise UsageError(
                f"the path {str(database)!r} holds a '?', which ends the name of a database in an address",
                where="tracker mlflow",
                remedy="name another run folder with --out, or say a tracking_uri",
            )
        folder = folder_id(self._run.folder)
        client = connected(self._options.tracking_uri or f"sqlite:///{database}")
        name = self._options.experiment or self._run.name
        found = client.get_experiment_by_name(name)
        if found is not None:
            return CellRuns(client, found.experiment_id, folder)
        # Nothing is written there, but MLflow would name a folder of the working directory.
        place = None if self._options.tracking_uri else database.with_name("mlflow-artifacts").as_uri()
        return CellRuns(client, client.create_experiment(name, artifact_location=place), folder)

    def _finish(self, event: CellFinished) -> None:
        cells, run = self._cells, self._open.pop(event.cell, None)
        steps = len(event.epochs)
        figures = [*_of_epochs(event.epochs), *((*each, steps) for each in final_figures(event.rows).items())]
        tag = hashlib.blake2b(canonical_json(sorted(figures)).encode(), digest_size=16).hexdigest()
        there = [each for each in cells.of(event.cell) if each.info.status == "FINISHED"]
        if any(each.data.tags.get(FIGURES) == tag for each in there):
            if run is not None:  # trained again, with what came out before
                cells.client.delete_run(run.run_id)
            return
        run = run or cells.start(event.cell, goes_on=False)
        figures += [(*each, steps) for each in _of_rounds(self._rounds.get(event.variant, ())).items()]
        leaked = any(row["leaked"] for row in event.rows)
        cells.log(run, figures, params=self._params(event), tags={FIGURES: tag, "genre.leaked": str(leaked).lower()})
        cells.client.set_terminated(run.run_id, "FINISHED")

    def _params(self, event: CellFinished) -> dict[str, object]:
        """What tells cells apart, and for a training its settings."""
        params: dict[str, object] = {"variant": event.variant, "baseline": event.baseline}
        if event.seed is None:
            return params
        overrides = _table(_table(self._experiment.get("overrides")).get(event.baseline))
        training = {**_table(self._experiment.get("training")), **_table(overrides.get("training"))}
        settings = {f"training.{name}": value for name, value in training.items() if value is not None}
        return {**params, "seed": event.seed, **settings}


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _of_epochs(epochs: Iterable[EpochFinished]) -> list[Figure]:
    return [(*each, epoch.epoch) for epoch in epochs for each in epoch_figures(epoch).items()]


def _of_rounds(rounds: Iterable[RoundFinished]) -> dict[str, float]:
    """What the variant took: `rounds/records`, and the price of its answers when they were paid, if it is known."""
    rounds = list(rounds)
    if not rounds:
        return {}
    figures = {
        "rounds/prompts": float(sum(each.prompts for each in rounds)),
        "rounds/records": float(sum(each.records for each in rounds)),
    }
    costs = [amount for each in rounds for amount in (each.cost, each.reused_cost)]
    known = [amount for amount in costs if amount is not None]
    return figures if len(known) < len(costs) else {**figures, "rounds/usd": sum(known)}
