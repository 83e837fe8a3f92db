"""The tracker `mlflow`, read back with MLflow's own client."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run, ViewType
from tracked_runs import cell, epoch, epochs_of, finals_of, made, run_tracked, tell

from genre.errors import UsageError
from genre.parts import CellFinished, RoundFinished, RunFinished, RunPlan, RunStopped, TrackedRun
from genre_trackers.mlflow_cells import accepted

CELLS = ("original-nrms-0", "original-nrms-1")
INTERRUPTED = RunStopped("interrupted", "test")


def client_of(database: Path) -> MlflowClient:
    return MlflowClient(tracking_uri=f"sqlite:///{database}")


def runs_of(client: MlflowClient, experiment: str = "tiny", view: int = ViewType.ACTIVE_ONLY) -> list[Run]:
    found = client.get_experiment_by_name(experiment)
    return list(client.search_runs([found.experiment_id], run_view_type=view))


def curve(client: MlflowClient, run: Run, name: str) -> list[tuple[int, float]]:
    history = client.get_metric_history(run.info.run_id, name)
    return sorted((each.step, each.value) for each in history)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was called twice, without a network; the second call found its trainings finished."""
    folder = tmp_path_factory.mktemp("a run")

    def refuse(_self: object, address: object) -> None:
        raise OSError(f"a connection to {address!r}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        run_tracked(folder, ["mlflow"])
        assert run_tracked(folder, ["mlflow"]).reused_cells == 2
    return folder


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for several tests: making one takes seconds."""
    return tmp_path_factory.mktemp("database") / "mlflow.sqlite"


@pytest.fixture
def run(tmp_path: Path, request: pytest.FixtureRequest) -> TrackedRun:
    return TrackedRun(request.node.name.replace("_", "-"), tmp_path / "runs")


@pytest.fixture
def client(database: Path) -> MlflowClient:
    return client_of(database)


def options(database: Path) -> dict[str, object]:
    return {"tracking_uri": f"sqlite:///{database}"}


def test_there_is_one_mlflow_run_for_each_cell_after_two_calls(folder: Path) -> None:
    runs = runs_of(client_of(folder / "runs" / "mlflow.sqlite"), view=ViewType.ALL)
    assert sorted(each.info.run_name for each in runs) == [*CELLS, "original-popularity"]
    assert {each.info.status for each in runs} == {"FINISHED"}


@pytest.mark.parametrize("name", CELLS)
def test_the_metrics_of_epochs_are_the_learning_curve(folder: Path, name: str) -> None:
    client = client_of(folder / "runs" / "mlflow.sqlite")
    [found] = [each for each in runs_of(client) if each.info.run_name == name]
    for figure, expected in epochs_of(folder, name).items():
        assert curve(client, found, accepted(figure)) == expected


@pytest.mark.parametrize("name", [*CELLS, "original-popularity"])
def test_final_metrics_are_the_results(folder: Path, name: str) -> None:
    client = client_of(folder / "runs" / "mlflow.sqlite")
    [found] = [each for each in runs_of(client) if each.info.run_name == name]
    finals = {key: value for key, value in found.data.metrics.items() if not key.startswith("epoch/")}
    assert finals == {accepted(figure): value for figure, value in finals_of(folder, name).items()}
    assert "test/all/ndcg_at_5" in finals


def test_params_and_tags_tell_cells_apart(folder: Path) -> None:
    runs = {each.info.run_name: each.data for each in runs_of(client_of(folder / "runs" / "mlflow.sqlite"))}
    params = runs["original-nrms-1"].params
    assert (params["variant"], params["baseline"], params["seed"]) == ("original", "nrms", "1")
    assert (params["training.epochs"], "training.learning_rate" in params) == ("2", True)
    assert runs["original-popularity"].params == {"variant": "original", "baseline": "popularity"}
    assert runs["original-nrms-1"].tags["genre.cell"] == "original-nrms-1"
    assert runs["original-nrms-1"].tags["genre.leaked"] == "false"


def test_overrides_of_a_baseline_are_in_its_params(run: TrackedRun, database: Path, client: MlflowClient) -> None:
    said = {"training": {"epochs": 5, "clip": None}, "overrides": {"nrms": {"training": {"epochs": 7}}}}
    tell(made("mlflow", run, **options(database)), RunPlan(run.name, (), experiment=said), cell(epoch(1)))
    [found] = runs_of(client, run.name)
    assert {name: value for name, value in found.data.params.items() if name.startswith("training")} == {
        "training.epochs": "7"
    }


def test_what_is_told_is_there_at_once(run: TrackedRun, database: Path, client: MlflowClient) -> None:
    tell(made("mlflow", run, **options(database)), epoch(1))
    [found] = runs_of(client, run.name)
    assert found.info.status == "RUNNING"
    assert (found.data.metrics["epoch/loss"], found.data.metrics["epoch/ndcg_at_5"]) == (1.0, 0.25)


@pytest.mark.parametrize(("status", "shown"), [("interrupted", "KILLED"), ("failed", "FAILED")])
def test_a_run_that_stops_says_so(
    run: TrackedRun, database: Path, client: MlflowClient, status: str, shown: str
) -> None:
    tell(made("mlflow", run, **options(database)), epoch(1), RunStopped(status, "test"))  # type: ignore[arg-type]
    [found] = runs_of(client, run.name)
    assert found.info.status == shown


def test_a_training_that_goes_on_continues_its_mlflow_run(
    run: TrackedRun, database: Path, client: MlflowClient
) -> None:
    tell(made("mlflow", run, **options(database)), epoch(1), epoch(2), INTERRUPTED)
    end = cell(epoch(1), epoch(2), epoch(3))
    tell(made("mlflow", run, **options(database)), epoch(2), epoch(3), end, RunFinished(run.name, run.folder, end.rows))
    [found] = runs_of(client, run.name, ViewType.ALL)
    assert curve(client, found, "epoch/loss") == [(1, 1.0), (2, 2.0), (3, 3.0)]
    assert (found.info.status, found.data.metrics["test/all/auc"]) == ("FINISHED", 0.75)


def test_a_training_that_was_begun_without_the_tracker_is_whole_in_the_end(
    run: TrackedRun, database: Path, client: MlflowClient
) -> None:
    tell(made("mlflow", run, **options(database)), epoch(2), cell(epoch(1), epoch(2)))
    [found] = runs_of(client, run.name)
    assert curve(client, found, "epoch/loss") == [(1, 1.0), (2, 2.0)]


def test_a_training_that_starts_again_replaces_what_did_not_end(
    run: TrackedRun, database: Path, client: MlflowClient
) -> None:
    tell(made("mlflow", run, **options(database)), epoch(1), epoch(2), INTERRUPTED)
    tell(made("mlflow", run, **options(database)), epoch(1, loss=5.0), INTERRUPTED)
    [found] = runs_of(client, run.name)
    assert curve(client, found, "epoch/loss") == [(1, 5.0)]
    assert len(runs_of(client, run.name, ViewType.DELETED_ONLY)) == 1  # `mlflow gc` removes it for good


def test_other_figures_of_a_cell_stand_beside_the_first_and_equal_ones_do_not(
    run: TrackedRun, database: Path, client: MlflowClient
) -> None:
    for auc in (0.75, 0.5, 0.75):
        tell(made("mlflow", run, **options(database)), epoch(1), cell(epoch(1), auc=auc))
    assert sorted(each.data.metrics["test/all/auc"] for each in runs_of(client, run.name)) == [0.5, 0.75]


def test_another_run_folder_s_cells_are_left_alone(
    run: TrackedRun, database: Path, client: MlflowClient, tmp_path: Path
) -> None:
    tell(made("mlflow", run, **options(database)), epoch(1))
    other = TrackedRun(run.name, tmp_path / "elsewhere")
    tell(made("mlflow", other, **options(database)), epoch(1), INTERRUPTED)
    assert sorted(each.info.status for each in runs_of(client, run.name)) == ["KILLED", "RUNNING"]


@pytest.mark.parametrize(("cost", "usd"), [(0.5, 0.75), (None, None)])
def test_a_variant_s_rounds_are_figures_of_its_cells(
    run: TrackedRun, database: Path, client: MlflowClient, cost: float | None, usd: float | None
) -> None:
    done = RoundFinished(
        variant="original", round="r", task="t", generator="g", prompts=5, records=4, quarantined=1, reused=1,
        calls=4, prompt_tokens=1, completion_tokens=1, cost=cost, reused_cost=0.25,
    )  # fmt: skip
    tell(made("mlflow", run, **options(database)), done, cell(epoch(1)))
    [found] = runs_of(client, run.name)
    metrics = found.data.metrics
    assert (metrics["rounds/prompts"], metrics["rounds/records"], metrics.get("rounds/usd")) == (5, 4, usd)


def test_a_leaked_cell_says_so(run: TrackedRun, database: Path, client: MlflowClient) -> None:
    end = cell(epoch(1))
    leaked = CellFinished(end.variant, end.baseline, end.seed, [{**end.rows[0], "leaked": True}], end.epochs)
    tell(made("mlflow", run, **options(database)), leaked)
    [found] = runs_of(client, run.name)
    assert found.data.tags["genre.leaked"] == "true"


def test_the_experiment_s_name_is_an_option(run: TrackedRun, database: Path, client: MlflowClient) -> None:
    tell(made("mlflow", run, **options(database), experiment="of the team"), cell(epoch(1)))
    assert len(runs_of(client, "of the team")) == 1


@pytest.mark.parametrize("uri", ["./mlruns", "postgres://me:swordfish@host/db"])
def test_a_store_that_mlflow_does_not_take_is_told_without_its_password(run: TrackedRun, uri: str) -> None:
    with pytest.raises(UsageError, match="MLflow takes no such tracking_uri") as caught:
        made("mlflow", run, tracking_uri=uri)
    assert "swordfish" not in str(caught.value)


def test_a_run_folder_that_no_address_can_name_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds a '\?'"):
        made("mlflow", TrackedRun("tiny", tmp_path / "what?"))
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_id_of_the_folder_is_told(run: TrackedRun) -> None:
    run.folder.mkdir()
    (run.folder / "mlflow-id.txt").write_text("' or 1 = 1")
    with pytest.raises(UsageError, match=r"mlflow-id.txt: not an id of a run folder"):
        made("mlflow", run)


@pytest.mark.parametrize("package", ["mlflow", "sqlalchemy", "alembic"])
def test_a_missing_package_is_told_with_the_extra(
    run: TrackedRun, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=rf"(?s)'mlflow' needs the package {package}.*genre-rec\[trackers\]"):
        made("mlflow", run)


@pytest.mark.parametrize(
    ("name", "taken"),
    [("test/all/ndcg@5", "test/all/ndcg_at_5"), ("epoch/auc", "epoch/auc"), ("dev: a&b/all/f1%", "dev_ a_b/all/f1_")],
)
def test_names_are_those_that_mlflow_takes(name: str, taken: str) -> None:
    from mlflow.utils.validation import _validate_metric_name

    assert accepted(name) == taken
    _validate_metric_name(accepted(name))


def test_mlflow_s_makers_are_told_nothing(tmp_path: Path) -> None:
    code = (
        "from genre_trackers.mlflow_library import import_mlflow; import_mlflow(); "
        "from mlflow.telemetry import get_telemetry_client; print(get_telemetry_client())"
    )
    silent = ("CI", "PYTEST_CURRENT_TEST", "MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK")  # what switches it off, too
    environment = {name: value for name, value in os.environ.items() if name not in silent}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    assert (done.stdout, list(tmp_path.iterdir())) == ("None\n", [])
