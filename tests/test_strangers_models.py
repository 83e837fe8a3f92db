"""A model and a field encoder, each in a package of its own, train, evaluate, are listed, and keep the laws."""

import json
import re
from pathlib import Path

import pytest
from strangers import environment_with, genre, run_tests

from genre.dataset import save_dataset
from genre.testing.planted import planted_dataset

PACKAGES = Path(__file__).parent / "packages"
MODEL, FIELD_ENCODER = PACKAGES / "genre-recency", PACKAGES / "genre-gist"


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment with both packages installed into it."""
    return environment_with(tmp_path_factory.mktemp("environment"), MODEL, FIELD_ENCODER)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data set with planted preferences, saved."""
    folder = tmp_path_factory.mktemp("data") / "planted"
    save_dataset(planted_dataset(), folder)
    return folder


def auc_after_training(python: Path, folder: Path, data: Path, *arguments: str) -> float:
    trained = genre(python, folder, "train", str(data), *arguments, "--out", "model", "-o", "training.batch_size=16")
    assert trained.returncode == 0, trained.stderr
    evaluated = genre(python, folder, "evaluate", "model", str(data), "--split", "dev", "--json")
    assert evaluated.returncode == 0, evaluated.stderr
    return float(json.loads(evaluated.stdout)["rows"][0]["auc"])


@pytest.mark.parametrize(
    ("kind", "name", "package"),
    [
        ("user-encoder", "recency", "genre-recency"),
        ("baseline", "recency", "genre-recency"),
        ("field-encoder", "gist", "genre-gist"),
    ],
)
def test_they_are_listed(stranger: Path, tmp_path: Path, kind: str, name: str, package: str) -> None:
    rows = json.loads(genre(stranger, tmp_path, "plugins", "list", "--kind", kind, "--json").stdout)
    [row] = [row for row in rows if row["name"] == name]
    assert (row["distribution"], row["enabled"]) == (package, True)


def test_the_model_trains_and_evaluates(stranger: Path, tmp_path: Path, planted: Path) -> None:
    assert auc_after_training(stranger, tmp_path, planted, "--baseline", "recency") > 0.75


def test_the_field_encoder_reads_the_texts_of_a_built_in_model(stranger: Path, tmp_path: Path, planted: Path) -> None:
    text = ("-o", "baseline.field_encoders.text=gist", "-o", "features.categories=[]")
    assert auc_after_training(stranger, tmp_path, planted, "--baseline", "naml", *text) > 0.75


@pytest.mark.parametrize(
    "tests", [MODEL / "test_recency.py", FIELD_ENCODER / "test_gist.py"], ids=lambda path: path.stem
)
def test_they_keep_the_laws(stranger: Path, tmp_path: Path, tests: Path) -> None:
    done = run_tests(stranger, tmp_path, tests)
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= 14


def test_a_model_with_its_declaration_takes_sixty_lines_at_most() -> None:
    for package in (MODEL, FIELD_ENCODER):
        modules = list(package.glob("genre_*.py"))
        assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in modules) <= 60


@pytest.mark.parametrize("path", sorted([*MODEL.iterdir(), *FIELD_ENCODER.glob("*.py")]), ids=lambda path: path.name)
def test_the_documentation_shows_these_packages_as_they_are(path: Path) -> None:
    page = (PACKAGES.parents[1] / "docs" / "how-to" / "a-model-of-your-own.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(?:toml|python)\n(.*?)```", page, flags=re.DOTALL)
    assert path.read_text(encoding="utf-8") in blocks
