"""Fixtures that tests of several packages use."""

import signal
from pathlib import Path

import pytest
from command_line import Genre, genre_in
from hypothesis import HealthCheck, Phase, settings
from small_data import small_dataset

from genre.dataset import save_dataset

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell lets what it starts in the background ignore interrupts, and so would all that tests start and interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes is the machine's affair.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
# For `make mutation`: few examples, the same for each mutant, and none is made smaller, which takes long.
settings.register_profile(
    "mutation", deadline=None, database=None, derandomize=True, phases=[Phase.explicit, Phase.generate], max_examples=25
)

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture
def genre(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Genre:
    """The command line, called in an empty folder."""
    return genre_in(tmp_path, monkeypatch, capsys)


@pytest.fixture
def small_folder(tmp_path: Path) -> Path:
    """The small data set, saved."""
    save_dataset(small_dataset(), tmp_path / "small")
    return tmp_path / "small"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that packages can be installed into, as site-packages is."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.fixture
def shared_data() -> Path:
    """Real data that may not be redistributed; tests that read them skip where they are missing."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"{SHARED_DATA.name}: the real data sets are not beside this checkout")
    return SHARED_DATA


@pytest.fixture
def fake_plugin(tmp_path: Path) -> Path:
    """A project folder whose registry.toml adds a plugin file with the generator `fake` and an event log."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "fakes.py").write_text(FAKE_PLUGIN, encoding="utf-8")
    (tmp_path / "registry.toml").write_text(
        '[plugins]\nfolders = ["mine"]\n\n[defaults]\ngenerator = "fake"\n', encoding="utf-8"
    )
    return tmp_path


FAKE_PLUGIN = '''
import json
from pathlib import Path

import click
from fake_llm import FakeLLM

from genre import hookimpl
from genre.parts import Part


def make(options):
    return FakeLLM()


@click.command()
def greet():
    """Say hello."""
    click.echo("hello from a plugin")


def log(event, **values):
    with Path("events.jsonl").open("a") as file:
        file.write(json.dumps({"event": event, **values}) + "\\n")


@hookimpl
def genre_generators():
    yield Part(name="fake", summary="Answers any schema", target="genre_local_fakes:make")


@hookimpl
def genre_commands():
    yield Part(name="greet", summary="Say hello", target="genre_local_fakes:greet")


@hookimpl
def genre_run_planned(plan):
    log("run_planned", name=plan.name, rounds=[list(each) for each in plan.rounds], baselines=list(plan.baselines))
    return Path("veto").read_text() if Path("veto").exists() else None


@hookimpl
def genre_answers_stored(event):
    log("answers_stored", task=event.task, generator=event.generator, count=event.count)


@hookimpl
def genre_epoch_finished(event):
    log("epoch_finished", baseline=event.baseline, epoch=event.epoch, metrics=sorted(event.metrics))


@hookimpl
def genre_run_finished(event):
    log("run_finished", name=event.name, rows=len(event.rows))
'''
