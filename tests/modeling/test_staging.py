"""A folder is written whole or not at all, and what was there survives every failure."""

from pathlib import Path

import pytest

from genre.modeling.staging import staged


def write(folder: Path, text: str, *, replace: bool = True) -> None:
    with staged(folder, replace=replace) as staging:
        (staging / "file").write_text(text)


def test_a_folder_appears_when_the_block_ends(tmp_path: Path) -> None:
    with staged(tmp_path / "new", replace=True) as staging:
        (staging / "file").write_text("a")
        assert not (tmp_path / "new").exists()
    assert (tmp_path / "new" / "file").read_text() == "a"


def test_a_folder_that_was_there_gives_way_and_leaves_nothing_behind(tmp_path: Path) -> None:
    write(tmp_path / "model", "old")
    write(tmp_path / "model", "new")
    assert (tmp_path / "model" / "file").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_that_was_there_stays_where_it_is_not_to_be_replaced(tmp_path: Path) -> None:
    write(tmp_path / "cache", "first", replace=False)
    write(tmp_path / "cache", "second", replace=False)
    assert (tmp_path / "cache" / "file").read_text() == "first"


def test_an_error_in_the_block_leaves_the_old_folder(tmp_path: Path) -> None:
    write(tmp_path / "model", "old")
    with pytest.raises(TypeError):
        write(tmp_path / "model", None)  # type: ignore[arg-type]
    assert (tmp_path / "model" / "file").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("failing", [1, 2])
def test_a_failure_at_either_rename_leaves_the_old_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    write(tmp_path / "model", "old")
    renames = 0
    rename = Path.rename

    def fail_once(path: Path, target: Path) -> Path:
        nonlocal renames
        renames += 1
        if renames == failing:
            raise OSError("the disk is gone")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail_once)
    with pytest.raises(OSError, match="the disk is gone"):
        write(tmp_path / "model", "new")
    assert (tmp_path / "model" / "file").read_text() == "old"
