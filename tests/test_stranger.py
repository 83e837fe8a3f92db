"""A generator in a package of its own, installed into an environment of its own, works without any change here."""

import json
import re
import sys
from pathlib import Path

import pytest
from small_data import NEWS
from strangers import environment_with, genre, run_tests

from genre.dataset import load_dataset

PARROT = Path(__file__).parent / "packages" / "genre-parrot"


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment with the package installed into it."""
    return environment_with(tmp_path_factory.mktemp("environment"), PARROT)


def test_it_is_found_by_its_entry_point(stranger: Path, tmp_path: Path) -> None:
    rows = json.loads(genre(stranger, tmp_path, "plugins", "list", "--kind", "generator", "--json").stdout)
    [parrot] = [row for row in rows if row["name"] == "parrot"]
    assert parrot["distribution"] == "genre-parrot"
    assert parrot["enabled"] is True


def test_it_serves_a_task_that_registry_toml_gives_it(stranger: Path, tmp_path: Path, small_folder: Path) -> None:
    (tmp_path / "registry.toml").write_text(
        '[generators.loud]\nplugin = "parrot"\nsuffix = "!!"\n\n[tasks.news-summarizer]\ngenerator = "loud"\n'
    )
    done = genre(stranger, tmp_path, "enrich", str(small_folder), "--task", "news-summarizer", "--out", "rich")
    assert done.returncode == 0, done.stderr
    titles = load_dataset(tmp_path / "rich").text("title").to_list()
    assert titles[0] == f"ARTICLE: {NEWS[0][4].upper()}!!"


def test_its_own_tests_hold_it_to_the_laws(stranger: Path, tmp_path: Path) -> None:
    done = run_tests(stranger, tmp_path, PARROT / "test_parrot.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "9 passed" in done.stdout


def test_it_is_unknown_outside_its_environment(small_folder: Path, tmp_path: Path) -> None:
    rows = json.loads(genre(Path(sys.executable), tmp_path, "plugins", "list", "--json").stdout)
    assert "parrot" not in {row["name"] for row in rows}


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("how-to/plugins.md", "pyproject.toml"),
        ("how-to/plugins.md", "genre_parrot.py"),
        ("how-to/plugins.md", "genre_parrot_model.py"),
        ("reference/testing.md", "test_parrot.py"),
    ],
)
def test_the_documentation_shows_this_package_as_it_is(page: str, name: str) -> None:
    text = (Path(__file__).parents[1] / "docs" / page).read_text(encoding="utf-8")
    blocks = re.findall(r"```(?:toml|python)\n(.*?)```", text, flags=re.DOTALL)
    assert (PARROT / name).read_text(encoding="utf-8") in blocks
