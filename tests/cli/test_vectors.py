"""Vectors of news by the command line and by experiment files: where they are found, and what is said when not."""

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import Genre

from genre.dataset import load_dataset
from genre.errors import UsageError
from genre.experiments import load_experiment, read_dataset
from genre.registry import Registry

SIZES = {"news": 80, "users": 60, "train": 120, "dev": 40, "test": 40}
IMPORT = ("data", "import", "sample", *(part for name in SIZES for part in ("-o", f"{name}={SIZES[name]}")))
EXPERIMENT = f"""
name = "tiny"

[dataset]
reader = "sample"
options = {{ {", ".join(f"{name} = {size}" for name, size in SIZES.items())} }}
vectors = {{ cover = "covers.npy" }}

[[variants]]
name = "original"
"""


def write_covers(folder: Path, *ids: str) -> None:
    """A vector for each of these news."""
    folder.mkdir(exist_ok=True)
    np.save(folder / "covers.npy", np.arange(1, 2 * len(ids) + 1, dtype=np.float32).reshape(-1, 2))
    (folder / "covers.ids.txt").write_text("\n".join(ids), encoding="utf-8")


def test_import_takes_vectors_from_the_working_directory(genre: Genre, tmp_path: Path) -> None:
    write_covers(tmp_path, "N2", "N1", "X1")
    outcome = genre(*IMPORT, "--vectors", "cover=covers.npy", "--out", "set")
    assert outcome.code == 0, outcome.err
    assert "news with cover vectors" in outcome.out
    dataset = load_dataset(tmp_path / "set")
    matrix, mask = dataset.vectors_of("cover")
    found = {dataset.news["id"][int(row)]: matrix[row].tolist() for row in np.flatnonzero(mask)}
    assert found == {"N2": [1.0, 2.0], "N1": [3.0, 4.0]}


def test_stats_have_the_counts_and_the_lineage_of_vectors(genre: Genre, tmp_path: Path) -> None:
    write_covers(tmp_path, "N2", "N1", "X1")
    genre(*IMPORT, "--vectors", "cover=covers.npy", "--out", "set")
    stats = json.loads(genre("data", "stats", "set", "--json").out)
    assert stats["news_with_cover_vectors"] == 2
    assert stats["lineage"][-1]["details"] == {
        "field": "cover",
        "width": 2,
        "news": 2,
        "unknown_ids": 1,
        "source": "covers.npy",
    }


def test_an_experiment_takes_vectors_from_its_own_folder(genre: Genre, tmp_path: Path) -> None:
    write_covers(tmp_path / "deep", "N1")
    (tmp_path / "deep" / "tiny.toml").write_text(EXPERIMENT, encoding="utf-8")
    outcome = genre("run", "deep/tiny.toml")
    assert outcome.code == 0, outcome.err
    assert load_dataset(Path("runs/tiny/datasets/original")).vector_fields == ["cover"]
    described = json.loads(Path("runs/tiny/experiment.json").read_text())
    assert described["experiment"]["dataset"]["vectors"] == {"cover": "covers.npy"}


def test_a_changed_path_of_vectors_refers_to_the_experiment_file_too(tmp_path: Path) -> None:
    write_covers(tmp_path / "other", "N1")
    (tmp_path / "tiny.toml").write_text(EXPERIMENT, encoding="utf-8")
    spec = load_experiment(tmp_path / "tiny.toml", ["dataset.vectors.cover=other/covers.npy"]).dataset
    dataset = read_dataset(
        Registry.load(), spec.reader, spec.options, vectors=spec.vectors, path=tmp_path / "tiny.toml"
    )
    assert dataset.stats()["news_with_cover_vectors"] == 1


def test_a_file_of_other_news_is_an_error_that_names_it(tmp_path: Path) -> None:
    write_covers(tmp_path, "X1", "X2")
    with pytest.raises(UsageError, match="none of the 2 ids names a news") as caught:
        read_dataset(Registry.load(), "sample", SIZES, vectors={"cover": tmp_path / "covers.npy"})
    assert caught.value.where == str(tmp_path / "covers.npy")


MISTAKES = {
    "no file": (["cover"], "'cover' is not of the form FIELD=FILE"),
    "no field": (["=covers.npy"], "'=covers.npy' is not of the form FIELD=FILE"),
    "a field twice": (["cover=covers.npy", "cover=covers.npy"], "'cover' are given twice"),
    "a missing file": (["cover=cover.npy"], "cover.npy: the matrix cannot be read"),
    "another kind of file": (["cover=covers.ids.txt"], "files that end with '.txt'"),
}


@pytest.mark.parametrize(("given", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_and_nothing_is_saved(genre: Genre, tmp_path: Path, given: list[str], message: str) -> None:
    write_covers(tmp_path, "N1")
    outcome = genre(*IMPORT, *(part for pair in given for part in ("--vectors", pair)), "--out", "set")
    assert outcome.code == 2
    assert message in outcome.err
    assert "Traceback" not in outcome.err
    assert not (tmp_path / "set").exists()
