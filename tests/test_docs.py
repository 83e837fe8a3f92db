"""What README and docs show is run, and what they name exists."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

import click
import pytest

from genre.cli.main import genre as command_line
from genre.dataset.checks import checking, impressions, news
from genre.dataset.checks.findings import Kind as FindingKind
from genre.downloads import downloads
from genre.experiments import load_experiment
from genre.experiments.models import overridden, overridden_training
from genre.experiments.plan import BaselineOverride
from genre.generation import Limits
from genre.modeling import FeatureSettings, TrainingSettings
from genre.options import option_names, structure
from genre.parts import Baseline, Kind
from genre.registry import Registry

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MODELS = ROOT / "docs" / "reference" / "models.md"
REGISTRY = Registry.load(strict=True)
BASELINES = [each.part.name for each in REGISTRY.parts("baseline") if each.distribution == "genre-rec"]

FINDINGS = [
    *(each.name for module in (checking, news) for each in vars(module).values() if isinstance(each, FindingKind)),
    *(rule.kind.name for rule in impressions.RULES),
]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_the_readme_s_python_runs(tmp_path: Path) -> None:
    [code] = blocks(ROOT / "README.md", "python")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100


def test_the_python_of_the_statistics_runs(tmp_path: Path) -> None:
    [code] = blocks(ROOT / "docs" / "explanation" / "statistics.md", "python")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Interval(mean=")


def test_the_documented_experiment_is_one(tmp_path: Path) -> None:
    [text] = blocks(ROOT / "docs" / "reference" / "experiments.md", "toml")
    (tmp_path / "books.toml").write_text(text, encoding="utf-8")
    experiment = load_experiment(tmp_path / "books.toml")
    assert [variant.name for variant in experiment.variants] == ["original", "described", "profiled"]


@pytest.mark.parametrize("path", sorted((ROOT / "experiments").glob("*.toml")), ids=lambda path: path.stem)
def test_the_experiments_that_ship_are_read(path: Path) -> None:
    assert load_experiment(path).name == path.stem


@pytest.mark.parametrize(("page", "least"), [("README.md", 6), ("docs/reference/data.md", 8)])
def test_every_command_line_of_a_page_names_a_command_with_such_options(page: str, least: int) -> None:
    context = click.Context(command_line)
    lines = [line for block in blocks(ROOT / page, "sh") for line in block.splitlines()]
    called = [line.split() for line in lines if line.startswith("genre ")]
    assert len(called) >= least
    for _, *words in called:
        command: click.Command | None = command_line
        while isinstance(command, click.Group):
            command = command.get_command(context, words.pop(0))
        assert command is not None
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= known


def test_the_readme_names_every_plugin_in_the_row_of_its_kind() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    registry = Registry.load(strict=True)
    for kind in get_args(Kind):
        [row] = re.findall(rf"^\| `{kind}` \| .*\|$", text, flags=re.MULTILINE)
        named = set(re.findall(r"`([\w-]+)`", row.split("|")[3]))
        built_in = {entry.part.name for entry in registry.parts(kind) if entry.distribution == "genre-rec"}
        assert named == (built_in or {"genre"}), kind


def test_the_page_of_data_sets_names_every_reader_option_download_and_finding() -> None:
    text = (ROOT / "docs" / "reference" / "data.md").read_text(encoding="utf-8")
    names = set(FINDINGS)
    for entry in REGISTRY.parts("dataset"):
        if entry.distribution == "genre-rec":
            options = REGISTRY.options_class("dataset", entry.part.name)
            names |= {entry.part.name, *(option_names(options) if options and entry.part.name != "sample" else ())}
    for name in [*names, *downloads(REGISTRY)]:
        assert f"`{name}`" in text, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_inside_the_repository_resolve(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_page_with_the_bill_asks_the_generator_whose_price_it_estimates() -> None:
    page = ROOT / "docs" / "how-to" / "mind-with-a-paid-model.md"
    lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
    asking = [line for line in lines if line.startswith(("genre enrich", "genre prompts try"))]
    assert len(asking) == 2
    assert all(" --generator writer " in line for line in asking)
    model = tomllib.loads(blocks(page, "toml")[0])["generators"]["writer"]["model"]
    of_experiment = [line for line in lines if "experiments/paper-mind-small.toml" in line]
    assert len(of_experiment) == 3
    assert all(f" --set generators.writer.model={model}" in line for line in of_experiment)


def test_every_dependency_is_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "docs" / "explanation" / "dependencies.md").read_text(encoding="utf-8")
    extras = project["optional-dependencies"]
    for requirement in [*project["dependencies"], *extras["local"], *extras["docs"], *extras["dev"]]:
        name = re.split(r"[<>=~\[]", requirement)[0]
        assert name in text, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_generators_of_pages_have_options_that_exist(page: Path) -> None:
    tables = [tomllib.loads(text).get("generators", {}) for text in blocks(page, "toml")]
    for table in (table for named in tables for table in named.values()):
        options = {name: value for name, value in table.items() if name not in ("plugin", "limits")}
        structure(table.get("limits", {}), Limits, page.name)
        if table["plugin"] not in ("parrot", "lead"):  # the pages' own
            assert REGISTRY.structure_options("generator", table["plugin"], options)


def options_of(baseline: Baseline) -> Iterator[tuple[str, object]]:
    """Every option of every part of a baseline, as an experiment names it, with the value that it has by default.

    All of them are structured on the way, so a wrong option is an error.
    """
    parts: list[tuple[str, Kind, str, Mapping[str, object]]] = [
        (f"field_options.{name}", "field-encoder", name, baseline.field_options.get(name, {}))
        for name in dict.fromkeys(baseline.field_encoders.values())
    ]
    parts.append(("news_options", "news-encoder", baseline.news_encoder, baseline.news_options))
    parts.append(("user_options", "user-encoder", baseline.user_encoder, baseline.user_options))
    parts.append(("interaction_options", "interaction", baseline.interaction, baseline.interaction_options))
    yield "dim", baseline.dim
    for table, kind, name, values in parts:
        options = REGISTRY.structure_options(kind, name, values)
        if options is not None:
            for option in option_names(type(options)):
                yield f"{table}.{option}", getattr(options, option)


def in_a_cell(value: object) -> str:
    """A value as pages show it: TOML between back-ticks."""
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        return f"`{{ {', '.join(f'{name} = {json.dumps(each)}' for name, each in value.items())} }}`"
    return f"`{json.dumps(value)}`"


@pytest.mark.parametrize("name", BASELINES)
def test_every_baseline_has_a_page_that_tells_each_option_and_its_default(name: str) -> None:
    text = (MODELS.parent / "baselines" / f"{name}.md").read_text(encoding="utf-8")
    for option, value in options_of(REGISTRY.baseline(name)):
        assert f"| `{option}` | {in_a_cell(value)} |" in text
    shown = set(re.findall(r"^\| `([\w.-]+)` \|", text, flags=re.MULTILINE))
    assert shown == {option for option, _ in options_of(REGISTRY.baseline(name))}
    assert f"[overrides.{name}" in "".join(blocks(MODELS.parent / "baselines" / f"{name}.md", "toml"))
    assert f"(baselines/{name}.md)" in MODELS.read_text(encoding="utf-8")


def test_the_page_of_models_names_every_encoder_and_interaction() -> None:
    text = MODELS.read_text(encoding="utf-8")
    for kind in ("field-encoder", "news-encoder", "user-encoder", "interaction"):
        for entry in REGISTRY.parts(kind):
            if entry.distribution == "genre-rec":
                assert re.search(rf"^\| `{entry.part.name}` \|", text, flags=re.MULTILINE), entry.part.name


@pytest.mark.parametrize(
    "page", [MODELS, *sorted((MODELS.parent / "baselines").glob("*.md"))], ids=lambda page: page.stem
)
def test_what_pages_of_models_change_can_be_changed(page: Path) -> None:
    found = [tomllib.loads(text) for text in blocks(page, "toml")]
    assert found
    for tables in found:
        assert set(tables) <= {"features", "training", "overrides"}
        structure(tables.get("features", {}), FeatureSettings, page.name)
        training = structure(tables.get("training", {}), TrainingSettings, page.name)
        for name, table in tables.get("overrides", {}).items():
            override = structure(table, BaselineOverride, page.name)
            overridden_training(training, override, page.name)
            changed = overridden(REGISTRY.baseline(name), override)
            assert list(options_of(changed))
            assert set(changed.field_options) <= set(changed.field_encoders.values())
