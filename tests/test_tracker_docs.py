"""What docs/how-to/trackers.md says of names, options and events is so, and its tracker works."""

import json
import re
import tomllib
from pathlib import Path

import attrs
import pytest
from command_line import Genre

import genre.parts
from genre.experiments import load_experiment
from genre.registry import Registry
from genre.settings import Layer, Settings, load_settings
from genre.testing import checks

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "how-to" / "trackers.md").read_text(encoding="utf-8")
TABLES = re.findall(r"```toml\n(.*?)```", TEXT, flags=re.DOTALL)
REGISTRY = Registry.load(strict=True)
EXPERIMENT = """
name = "books"
variants = [{ name = "original" }]
report = ["test"]

[dataset]
reader = "sample"
options = { news = 80, users = 60, train = 120, dev = 40, test = 40 }
"""


def section(name: str) -> str:
    return re.split(r"^## ", TEXT, flags=re.MULTILINE)[[*re.findall(r"^## (.*)$", TEXT, re.MULTILINE)].index(name) + 1]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the page's tracker, its registry.toml and a small experiment."""
    [code] = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "leaderboard.py").write_text(code, encoding="utf-8")
    (tmp_path / "registry.toml").write_text(TABLES[-1], encoding="utf-8")
    (tmp_path / "books.toml").write_text(EXPERIMENT, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("entry", [each for each in REGISTRY.parts("tracker") if each.distribution == "genre-rec"])
def test_every_tracker_has_a_section_with_its_options(entry: "genre.registry.RegisteredPart") -> None:
    cls = REGISTRY.options_class("tracker", entry.part.name)
    told = re.findall(r"^\| `(\w+)` \| none \|", section(entry.part.name), flags=re.MULTILINE)
    assert told == ([field.name for field in attrs.fields(cls)] if cls else [])
    assert cls is None or all(field.default is None for field in attrs.fields(cls))


def test_every_event_is_told_with_all_its_fields() -> None:
    told = dict(re.findall(r"^\| `(\w+_\w+)` \| (.*) \|$", section("jsonl"), flags=re.MULTILINE))
    events = {re.sub(r"(?<!^)(?=[A-Z])", "_", each.__name__).lower(): each for each in genre.parts.RunEvent.__args__}
    assert set(told) == set(events)
    for name, event in events.items():
        assert {field.name for field in attrs.fields(event)} <= set(re.findall(r"`(\w+)`", told[name]))


@pytest.mark.parametrize("text", [text for text in TABLES if "[trackers." in text and "[plugins]" not in text])
def test_tables_of_trackers_have_options_that_exist(text: str) -> None:
    registry = Registry.load(Settings((*load_settings(ROOT).layers, Layer("docs", tomllib.loads(text)))))
    names = registry.settings.table("trackers")
    assert names
    for name in names:
        options = registry.settings.table("trackers", name)
        plugin = str(options.pop("plugin", name))
        cls = registry.options_class("tracker", plugin)
        structured = registry.structure_options("tracker", plugin, options)
        assert cls is None or isinstance(structured, cls)


def test_an_experiment_says_it_as_shown(tmp_path: Path) -> None:
    for text, names in ((TABLES[0], ("jsonl", "tensorboard")), (TABLES[2], ("jsonl", "tensorboard"))):
        experiment = EXPERIMENT.replace("\n[dataset]", f"{text}\n[dataset]")
        (tmp_path / "books.toml").write_text(experiment, encoding="utf-8")
        assert load_experiment(tmp_path / "books.toml").trackers == names


def test_the_page_s_tracker_shows_the_results_best_first(project: Path, genre: Genre) -> None:
    outcome = genre("run", "books.toml", "--tracker", "best")
    assert outcome.code == 0, outcome.err
    rows = json.loads((project / "runs" / "books" / "results.json").read_text(encoding="utf-8"))["rows"]
    figures = {f"original-{row['baseline']}": row["ndcg@5"] for row in rows if row["segment"] == "all"}
    lines = (project / "runs" / "books" / "leaderboard.tsv").read_text(encoding="utf-8").splitlines()
    assert lines == [f"{cell}\t{figures[cell]:.4f}" for cell in sorted(figures, key=lambda cell: -figures[cell])]


def test_the_page_s_tracker_keeps_the_laws(project: Path) -> None:
    registry = Registry.load(load_settings(project))
    for check in checks("tracker", "leaderboard", registry=registry):
        check()
