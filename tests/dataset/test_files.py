"""Saving and loading a data set."""

import json
from pathlib import Path

import polars as pl
import pytest
from small_data import small_dataset

from genre.dataset import load_dataset, save_dataset
from genre.dataset.tables import TABLES
from genre.errors import UsageError


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    dataset = small_dataset().with_lineage("split", into=["dev", "test"])
    save_dataset(dataset, tmp_path / "deep" / "set")
    loaded = load_dataset(tmp_path / "deep" / "set")
    assert loaded.fingerprint == dataset.fingerprint
    assert loaded.lineage == dataset.lineage
    for name in TABLES:
        assert getattr(loaded, name).equals(getattr(dataset, name))


def test_saving_again_replaces_the_set_and_leaves_nothing_else(tmp_path: Path) -> None:
    save_dataset(small_dataset(), tmp_path)
    rows = pl.DataFrame([{"news": 0, "field": "title", "version": "a", "model": "m", "text": "new"}])
    changed = small_dataset().with_texts(rows)
    save_dataset(changed, tmp_path)
    assert load_dataset(tmp_path).fingerprint == changed.fingerprint
    assert len(list(tmp_path.iterdir())) == len(TABLES) + 1


@pytest.mark.parametrize("writes", range(len(TABLES) + 1))
def test_a_crash_while_saving_leaves_the_old_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int) -> None:
    save_dataset(small_dataset(), tmp_path)
    rows = pl.DataFrame([{"news": 0, "field": "title", "version": "a", "model": "m", "text": "new"}])
    changed = small_dataset().with_texts(rows)
    replace = Path.replace
    done: list[Path] = []

    def crash(self: Path, target: Path) -> Path:
        if len(done) == writes:
            raise KeyboardInterrupt
        done.append(target)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        save_dataset(changed, tmp_path)
    monkeypatch.undo()
    assert load_dataset(tmp_path).fingerprint == small_dataset().fingerprint

    save_dataset(changed, tmp_path)
    assert load_dataset(tmp_path).fingerprint == changed.fingerprint
    assert len(list(tmp_path.iterdir())) == len(TABLES) + 1


def test_a_folder_that_holds_something_else_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="holds no data set"):
        save_dataset(small_dataset(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_in_the_way_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "set").write_text("")
    with pytest.raises(UsageError, match="in the way"):
        save_dataset(small_dataset(), tmp_path / "set")


def test_a_strangers_file_beside_the_set_survives(tmp_path: Path) -> None:
    save_dataset(small_dataset(), tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    save_dataset(small_dataset(), tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_missing_set_is_an_error_that_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="genre data import"):
        load_dataset(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "manifest",
    [
        "{",
        "[]",
        "{}",
        '{"format": 2, "fingerprint": "0", "lineage": 3}',
        '{"format": 2, "fingerprint": "../../x", "lineage": []}',
        '{"format": 2, "fingerprint": 7, "lineage": []}',
        '{"format": 2, "fingerprint": "x", "lineage": [{"operation": "read", "details": 1}]}',
    ],
)
def test_a_spoilt_manifest_is_an_error_that_names_it(tmp_path: Path, manifest: str) -> None:
    save_dataset(small_dataset(), tmp_path)
    (tmp_path / "dataset.json").write_text(manifest)
    with pytest.raises(UsageError, match=r"dataset\.json"):
        load_dataset(tmp_path)


def test_another_format_version_is_an_error(tmp_path: Path) -> None:
    save_dataset(small_dataset(), tmp_path)
    path = tmp_path / "dataset.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))
    with pytest.raises(UsageError, match="format 99"):
        load_dataset(tmp_path)


@pytest.mark.parametrize("name", list(TABLES))
def test_a_missing_or_damaged_table_is_an_error(tmp_path: Path, name: str) -> None:
    save_dataset(small_dataset(), tmp_path)
    (file,) = tmp_path.glob(f"{name}-*.parquet")
    file.write_bytes(b"PAR1 no table")
    with pytest.raises(UsageError, match="a table cannot be read"):
        load_dataset(tmp_path)
    file.unlink()
    with pytest.raises(UsageError, match="a table cannot be read"):
        load_dataset(tmp_path)


def test_damage_at_which_polars_gives_up_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gives_up(*_: object, **__: object) -> None:
        raise pl.exceptions.PanicException("called `Option::unwrap()` on a `None` value")

    save_dataset(small_dataset(), tmp_path)
    monkeypatch.setattr(pl, "read_parquet", gives_up)
    with pytest.raises(UsageError, match="a table cannot be read"):
        load_dataset(tmp_path)


def test_a_table_that_was_exchanged_is_an_error(tmp_path: Path) -> None:
    save_dataset(small_dataset(), tmp_path)
    (file,) = tmp_path.glob("news-*.parquet")
    pl.read_parquet(file).with_columns(category=pl.lit("forged")).write_parquet(file)
    with pytest.raises(UsageError, match="contents changed"):
        load_dataset(tmp_path)


def test_tables_that_were_swapped_are_told_with_the_folder(tmp_path: Path) -> None:
    save_dataset(small_dataset(), tmp_path)
    (news,), (readers,) = tmp_path.glob("news-*.parquet"), tmp_path.glob("readers-*.parquet")
    readers.write_bytes(news.read_bytes())
    with pytest.raises(UsageError, match="table 'readers' has the columns") as raised:
        load_dataset(tmp_path)
    assert raised.value.where == str(tmp_path)
    assert raised.value.remedy == "import it again"


def test_the_rest_of_a_save_that_was_killed_is_removed_by_the_next(tmp_path: Path) -> None:
    save_dataset(small_dataset(), tmp_path)
    (news,) = tmp_path.glob("news-*.parquet")
    names = {path.name for path in tmp_path.iterdir()}
    for name in (news.name, "dataset.json"):
        (tmp_path / f".{name}.{'0' * 32}.partial").write_text("half")
    save_dataset(small_dataset(), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == names


def test_a_manifest_that_is_nested_too_deep_or_a_folder_is_an_error(tmp_path: Path) -> None:
    save_dataset(small_dataset(), tmp_path)
    path = tmp_path / "dataset.json"
    path.write_text("[" * 100_000)
    with pytest.raises(UsageError, match="not a data set's manifest"):
        load_dataset(tmp_path)
