"""Trackers of a run: named by the experiment or the call, told of everything in order, and of how it ended."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import Genre
from small_experiment import SMALL_SAMPLE

from genre.experiments import load_experiment

EXPERIMENT = (
    """
name = "tiny"
baselines = ["nrms"]
report = ["test"]
"""
    + SMALL_SAMPLE
    + """
[training]
epochs = 2

[[variants]]
name = "original"

[[variants]]
name = "profiled"
rounds = [{ task = "user-profiler", limit = 3 }]
"""
)

TRACKERS = '''
import json
import signal
from pathlib import Path

import attrs

from genre import hookimpl
from genre.parts import EpochFinished, Part, RunFinished


@attrs.frozen
class Options:
    at: str = ""
    error: str = "ValueError"
    ink: str = "no ink"


class Diary:
    """Writes names of events down, and raises at one of them."""

    def __init__(self, options, run):
        self.options, self.run = options, run
        if options.at == "making":
            raise ValueError("no ink")

    def track(self, event):
        name = type(event).__name__
        said = [name, getattr(event, "cell", getattr(event, "reason", ""))]
        with Path("diary.jsonl").open("a") as file:
            file.write(json.dumps(said) + "\\\\n")
        if self.options.at == name:
            if self.options.error == "SIGINT":
                signal.raise_signal(signal.SIGINT)
            else:
                raise ValueError(self.options.ink)


@hookimpl
def genre_trackers():
    yield Part(
        name="diary", summary="A diary", target="genre_local_diary:Diary", options="genre_local_diary:Options"
    )
'''


@pytest.fixture
def experiment(fake_plugin: Path) -> Path:
    (fake_plugin / "mine" / "diary.py").write_text(TRACKERS.replace("\\\\n", "\\n"))
    (fake_plugin / "tiny.toml").write_text(EXPERIMENT)
    return fake_plugin / "tiny.toml"


def diary() -> list[list[str]]:
    path = Path("diary.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def events(folder: Path = Path("runs/tiny")) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]


def test_a_tracker_is_told_of_the_plan_rounds_cells_epochs_and_the_end(genre: Genre, experiment: Path) -> None:
    outcome = genre("run", experiment, "--tracker", "diary")
    assert outcome.code == 0, outcome.err
    assert diary() == [
        ["RunPlan", ""],
        ["RoundFinished", ""],
        *(
            ["CellFinished", f"{variant}-{name}"]
            for variant in ("original", "profiled")
            for name in ("popularity", "tf-idf", "random")
        ),
        *(
            [event, f"{variant}-nrms-0"]
            for variant in ("original", "profiled")
            for event in ("EpochFinished", "EpochFinished", "CellFinished")
        ),
        ["RunFinished", ""],
    ]


def test_lines_of_jsonl_have_the_numbers_of_the_run_folder(genre: Genre, experiment: Path) -> None:
    assert genre("run", experiment, "--set", "trackers=['jsonl']").code == 0
    lines = events()
    rows = json.loads(Path("runs/tiny/results.json").read_text())["rows"]
    cells = [line for line in lines if line["event"] == "cell_finished"]
    told = {(line["variant"], line["baseline"]): line["rows"] for line in cells}
    assert [row for row in rows if row in told[row["variant"], row["baseline"]]] == lines[-1]["rows"] == rows
    assert sum(map(len, told.values())) == len(rows)
    cell = json.loads(Path("runs/tiny/cells/profiled-nrms-0/result.json").read_text())
    figures = [(each["epoch"], each["loss"], each["metrics"]) for each in cell["training"]["epochs"]]
    told = [line for line in lines if line["event"] == "epoch_finished" and line["variant"] == "profiled"]
    assert [(line["epoch"], line["loss"], line["metrics"]) for line in told] == figures
    assert [(each["epoch"], each["loss"], each["metrics"]) for each in cells[-1]["epochs"]] == figures


def test_a_round_is_told_with_the_counts_of_its_report(genre: Genre, experiment: Path) -> None:
    assert genre("run", experiment, "--tracker", "jsonl").code == 0
    [line] = [line for line in events() if line["event"] == "round_finished"]
    [report] = json.loads(Path("runs/tiny/experiment.json").read_text())["rounds"]["profiled"]
    for name in ("task", "generator", "prompts", "records", "reused", "calls", "prompt_tokens", "completion_tokens"):
        assert line[name] == report[name]
    assert (line["variant"], line["round"], line["quarantined"]) == ("profiled", "user-profiler", 0)
    assert (line["calls"], line["cost"]) == (3, None)  # nobody knows what the fake costs


def test_the_plan_has_the_experiment_as_it_was_understood(genre: Genre, experiment: Path) -> None:
    assert genre("run", experiment, "--tracker", "jsonl").code == 0
    plan = events()[0]
    assert plan["rounds"] == [["profiled", "user-profiler", "fake"]]
    assert plan["experiment"] == json.loads(Path("runs/tiny/experiment.json").read_text())["experiment"]


def test_a_second_call_appends_and_tells_reused_cells_whole(genre: Genre, experiment: Path) -> None:
    for _ in range(2):
        assert genre("run", experiment, "--tracker", "jsonl").code == 0
    lines = events()
    starts = [number for number, line in enumerate(lines) if line["event"] == "run_plan"]
    first, second = lines[: starts[1]], lines[starts[1] :]
    assert [line["reused"] for line in second if line.get("seed") == 0] == [True, True]
    assert not [line for line in second if line["event"] == "epoch_finished"]
    trained = [[line["rows"], line["epochs"]] for line in first if line["event"] == "cell_finished"]
    assert [[line["rows"], line["epochs"]] for line in second if line["event"] == "cell_finished"] == trained


@pytest.mark.slow
def test_trainings_in_processes_of_their_own_are_told(genre: Genre, experiment: Path) -> None:
    few = ("--set", "seeds=[0, 1]", "--set", "variants=[{name='original'}]", "--set", "untrained=[]")
    outcome = genre("run", experiment, *few, "--tracker", "jsonl", "--jobs", "2")
    assert outcome.code == 0, outcome.err
    lines = events()
    rows = json.loads(Path("runs/tiny/results.json").read_text())["rows"]
    cells = sorted((line for line in lines if line["event"] == "cell_finished"), key=lambda line: line["seed"])
    assert [row for line in cells for row in line["rows"]] == rows
    for line in cells:
        told = [each for each in lines if each["event"] == "epoch_finished" and each["seed"] == line["seed"]]
        assert [(each["epoch"], each["loss"]) for each in told] == [
            (each["epoch"], each["loss"]) for each in line["epochs"]
        ]


@pytest.mark.slow
def test_a_tracker_that_raises_ends_trainings_in_processes_of_their_own(genre: Genre, experiment: Path) -> None:
    experiment.write_text(f'{EXPERIMENT}\n[trackers.diary]\nat = "EpochFinished"\n')
    outcome = genre("run", experiment, "--set", "seeds=[0, 1]", "--jobs", "2")
    assert (outcome.code, "the tracker 'diary' failed: ValueError: no ink" in outcome.err) == (1, True)
    assert diary()[-1][0] == "RunStopped"


def test_a_training_that_goes_on_from_its_checkpoint_is_told_from_there(genre: Genre, experiment: Path) -> None:
    few = ("--set", "variants=[{name='original'}]", "--set", "untrained=[]", "--tracker", "jsonl")
    stop = ("--set", "trackers.diary.at=EpochFinished", "--set", "trackers.diary.error=SIGINT")
    assert genre("run", experiment, *few, "--tracker", "diary", *stop).code == 130
    assert [path.name for path in Path("runs/tiny/cells/original-nrms-0").iterdir()]  # the checkpoint
    assert genre("run", experiment, *few).code == 0
    told = [(line["event"], line.get("epoch")) for line in events()]
    assert told == [
        ("run_plan", None), ("epoch_finished", 1), ("run_stopped", None),
        ("run_plan", None), ("epoch_finished", 2), ("cell_finished", None), ("run_finished", None),
    ]  # fmt: skip
    assert [each["epoch"] for each in events()[-2]["epochs"]] == [1, 2]


def test_an_interrupted_run_is_told_as_such(genre: Genre, experiment: Path) -> None:
    experiment.write_text(f'{EXPERIMENT}\n[trackers.diary]\nat = "EpochFinished"\nerror = "SIGINT"\n')
    outcome = genre("run", experiment, "--tracker", "jsonl")
    assert outcome.code == 130
    assert diary()[-2:] == [["EpochFinished", "original-nrms-0"], ["RunStopped", "interrupted"]]
    assert (events()[-1]["event"], events()[-1]["status"]) == ("run_stopped", "interrupted")


@pytest.mark.parametrize("at", ["RunPlan", "RoundFinished", "EpochFinished", "CellFinished", "RunFinished"])
def test_a_tracker_that_raises_ends_the_run_with_its_name_and_others_are_told(
    genre: Genre, experiment: Path, at: str
) -> None:
    experiment.write_text(f'{EXPERIMENT}\n[trackers.mine]\nplugin = "diary"\nat = "{at}"\n\n[trackers.jsonl]\n')
    outcome = genre("run", experiment)
    assert (outcome.code, "the tracker 'mine' failed: ValueError: no ink" in outcome.err) == (1, True)
    assert "Traceback" not in outcome.err
    assert diary()[-1][0] == "RunStopped"
    if at != "RunPlan":
        last = events()[-1]
        assert (last["event"], last["status"], "no ink" in last["reason"]) == ("run_stopped", "failed", True)
    else:  # whoever was told of no beginning is told of no end
        assert not Path("runs/tiny/events.jsonl").exists()


def test_a_tracker_that_cannot_be_made_is_told_before_the_first_call(genre: Genre, experiment: Path) -> None:
    experiment.write_text(f'{EXPERIMENT}\n[trackers.diary]\nat = "making"\n')
    outcome = genre("run", experiment)
    assert (outcome.code, "the tracker 'diary' failed: ValueError: no ink" in outcome.err) == (1, True)
    assert not Path(".genre/answers.sqlite").exists()


def test_what_a_tracker_says_of_its_server_holds_no_password(genre: Genre, experiment: Path) -> None:
    ink = "no ink at http://me:swordfish@host:80/api, nor at http://host/a:b@c"
    experiment.write_text(f'{EXPERIMENT}\n[trackers.jsonl]\n[trackers.diary]\nat = "RoundFinished"\nink = "{ink}"\n')
    outcome = genre("run", experiment)
    said = "no ink at http://(hidden)@host:80/api, nor at http://host/a:b@c"
    assert (outcome.code, said in outcome.err, said in events()[-1]["reason"]) == (1, True, True)
    assert "swordfish" not in outcome.err + Path("runs/tiny/events.jsonl").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--tracker", "tensorbord"), "there is no tracker 'tensorbord'"),
        (("--tracker", "tensorbord"), "did you mean 'tensorboard'?"),
        (("--set", "trackers=['jsnl']"), "tiny.toml, trackers: there is no tracker 'jsnl'"),
        (("--set", "trackers=['jsonl', 'jsonl']"), "the tracker 'jsonl' stands twice"),
        (("--set", "trackers=jsonl"), "trackers"),
        (("--tracker", "mlflow", "--set", "trackers.mlflow.tracking_url=x"), "did you mean 'tracking_uri'?"),
        (("--tracker", "team", "--set", "trackers.team.plugin=mlflo"), "there is no tracker 'mlflo'"),
        (("--tracker", "jsonl", "--set", "trackers.jsonl.file=x"), "unknown option 'file'"),
    ],
)
def test_a_wrong_tracker_is_told_before_the_first_call(
    genre: Genre, experiment: Path, arguments: tuple[str, ...], message: str
) -> None:
    outcome = genre("run", experiment, *arguments)
    assert outcome.code == 2, outcome
    assert message in outcome.err
    assert not Path(".genre/answers.sqlite").exists()
    assert not Path("runs").exists()


def test_a_tracker_that_is_described_in_the_experiment_is_wanted(experiment: Path) -> None:
    experiment.write_text(f'{EXPERIMENT}\n[trackers.jsonl]\n\n[trackers.team]\nplugin = "mlflow"\n')
    assert load_experiment(experiment).trackers == ("jsonl", "team")


def test_a_list_on_the_command_line_replaces_those_of_the_file_and_leaves_their_options(experiment: Path) -> None:
    experiment.write_text(f'{EXPERIMENT}\n[trackers.team]\nplugin = "mlflow"\nexperiment = "all"\n')
    loaded = load_experiment(experiment, ["trackers=['jsonl']", "trackers.team.tracking_uri='sqlite:///x'"])
    assert loaded.trackers == ("jsonl",)
    assert loaded.settings.table("trackers", "team") == {
        "plugin": "mlflow", "experiment": "all", "tracking_uri": "sqlite:///x"
    }  # fmt: skip


def test_a_tracker_of_registry_toml_is_used_only_when_it_is_named(genre: Genre, experiment: Path) -> None:
    registry = experiment.parent / "registry.toml"
    registry.write_text(f'{registry.read_text()}\n[trackers.mine]\nplugin = "diary"\n')
    few = ("--set", "variants=[{name='original'}]", "--set", "baselines=[]")
    assert genre("run", experiment, *few).code == 0
    assert not diary()
    assert genre("run", experiment, *few, "--tracker", "mine").code == 0
    assert diary()


def test_a_tracker_that_is_named_twice_is_told_once(genre: Genre, experiment: Path) -> None:
    few = ("--set", "variants=[{name='original'}]", "--set", "baselines=[]", "--set", "trackers=['diary']")
    assert genre("run", experiment, *few, "--tracker", "diary").code == 0
    assert [name for name, _ in diary()].count("RunPlan") == 1


def test_a_disabled_tracker_is_told(genre: Genre, experiment: Path) -> None:
    registry = experiment.parent / "registry.toml"
    registry.write_text(registry.read_text().replace("[plugins]", '[plugins]\ndisabled = ["tracker/*"]'))
    outcome = genre("run", experiment, "--tracker", "jsonl")
    assert (outcome.code, "the tracker 'jsonl' is disabled" in outcome.err) == (2, True)


def test_trackers_are_listed(genre: Genre, experiment: Path) -> None:
    rows = json.loads(genre("plugins", "list", "--kind", "tracker", "--json").out)
    assert [row["name"] for row in rows] == ["diary", "jsonl", "mlflow", "tensorboard"]


@pytest.mark.parametrize("package", ["tensorboard", "mlflow"])
def test_a_package_that_is_not_installed_is_told_before_the_first_call(
    genre: Genre, experiment: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    outcome = genre("run", experiment, "--tracker", package)
    assert (outcome.code, "pip install 'genre-rec[trackers]'" in outcome.err) == (2, True)
    assert not [each for each in (".genre", "runs") if Path(each).exists()]
