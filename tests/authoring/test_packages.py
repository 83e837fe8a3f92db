"""A package of each kind, as `genre plugins new` writes it: its tests and checks pass before anything is changed."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import pytest
from strangers import environment_with, genre
from written_packages import KINDS, name_of, outcomes_of_tests, put_into, write_all

from genre.authoring import new_package
from genre.authoring.naming import LONGEST
from genre.parts import Kind
from genre.registry import Registry

BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A package of each kind."""
    return write_all(tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="module")
def outcomes(packages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[str]]:
    """What became of the tests of each package."""
    folder = tmp_path_factory.mktemp("site")
    site = folder / "site"
    site.mkdir()
    for package in packages.values():
        put_into(site, package)
    return outcomes_of_tests(Path(sys.executable), list(packages.values()), site, folder / "report.xml")


def test_there_is_one_for_each_kind_of_part() -> None:
    assert set(KINDS) == set(get_args(Kind))


@pytest.mark.parametrize("kind", KINDS)
def test_its_own_tests_pass(outcomes: Mapping[str, list[str]], kind: str) -> None:
    told = outcomes[f"genre-{name_of(kind)}"]
    assert set(told) == {"passed"}
    assert len(told) >= 4


@pytest.mark.parametrize("name", ["a", "x" * LONGEST, "-".join("a" * (LONGEST // 2))])
def test_its_form_is_that_of_ruff_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    registry = Registry.load()
    for kind in KINDS:
        new_package(registry, name, kind, tmp_path / kind)
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [BIN / "ruff", *command, "--no-cache", tmp_path], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_it_has_all_that_a_package_needs(packages: dict[str, Path], kind: str) -> None:
    files = {path.relative_to(packages[kind]).as_posix() for path in packages[kind].rglob("*") if path.is_file()}
    package = f"src/genre_{name_of(kind).replace('-', '_')}"
    wanted = {"pyproject.toml", "README.md", ".gitignore", ".github/workflows/tests.yml", "tests/test_laws.py"}
    assert wanted | {f"{package}/__init__.py", f"{package}/py.typed"} <= files
    assert not [file for file in files if "PACKAGE" in file]
    for file in files:
        assert "<<" not in (packages[kind] / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_no_file_of_it_is_longer_than_a_plugin_s_may_be(packages: dict[str, Path], kind: str) -> None:
    for path in packages[kind].rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 150


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_installed_into_a_fresh_environment_it_passes_its_own_checks(
    packages: dict[str, Path], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, kind: str
) -> None:
    package = packages[kind]
    python = environment_with(tmp_path / "environment", package)
    shown = genre(python, tmp_path, "plugins", "show", name_of(kind), "--kind", kind)
    assert shown.returncode == 0, shown.stderr
    assert f"genre-{name_of(kind)} 0.1.0" in shown.stdout
    cache = tmp_path_factory.getbasetemp() / "mypy"
    for command in (["pytest", "-q", "-p", "no:cacheprovider"], ["mypy", f"--cache-dir={cache}"]):
        done = subprocess.run([python, "-m", *command], cwd=package, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
