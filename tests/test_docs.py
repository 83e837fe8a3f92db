"""What README and docs show is run, and what they name exists."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from genre.cli.main import genre as command_line
from genre.experiments import load_experiment
from genre.registry import Registry

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_the_readme_s_python_runs(tmp_path: Path) -> None:
    [code] = blocks(ROOT / "README.md", "python")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100


def test_the_documented_experiment_is_one(tmp_path: Path) -> None:
    [text] = blocks(ROOT / "docs" / "experiments.md", "toml")
    (tmp_path / "books.toml").write_text(text, encoding="utf-8")
    experiment = load_experiment(tmp_path / "books.toml")
    assert [variant.name for variant in experiment.variants] == ["original", "described", "profiled"]


@pytest.mark.parametrize("path", sorted((ROOT / "experiments").glob("*.toml")), ids=lambda path: path.stem)
def test_the_experiments_that_ship_are_read(path: Path) -> None:
    assert load_experiment(path).name == path.stem


def test_every_command_line_of_the_readme_names_a_command_with_such_options() -> None:
    context = click.Context(command_line)
    lines = [line for block in blocks(ROOT / "README.md", "sh") for line in block.splitlines()]
    called = [line.split() for line in lines if line.startswith("genre ")]
    assert len(called) >= 6
    for _, *words in called:
        command: click.Command | None = command_line
        while isinstance(command, click.Group):
            command = command.get_command(context, words.pop(0))
        assert command is not None
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= known


def test_the_readme_names_every_task_generator_data_set_and_baseline() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    registry = Registry.load(strict=True)
    for kind in ("task", "generator", "dataset", "baseline"):
        for entry in registry.parts(kind):
            if entry.distribution == "genre-rec":
                assert f"`{entry.part.name}`" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_inside_the_repository_resolve(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_every_dependency_is_explained() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    extras = project["optional-dependencies"]
    for requirement in [*project["dependencies"], *extras["local"], *extras["dev"]]:
        name = re.split(r"[<>=~\[]", requirement)[0]
        assert name in text, name
