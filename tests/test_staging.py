"""Files and folders are written whole or not at all, and what was there survives every failure."""

from pathlib import Path

import pytest

from genre.errors import RunError, UsageError
from genre.staging import check_place, staged_file, staged_folder, staged_for


def write(folder: Path, text: str, *, replace: bool = True) -> None:
    with staged_folder(folder, replace=replace) as staging:
        (staging / "file").write_text(text)


def test_a_folder_appears_when_the_block_ends(tmp_path: Path) -> None:
    with staged_folder(tmp_path / "new", replace=True) as staging:
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


@pytest.mark.parametrize("shared", [True, False])
def test_a_folder_that_was_cut_off_does_not_show_in_the_next_one(tmp_path: Path, shared: bool) -> None:
    left = tmp_path / ".new.partial"
    left.mkdir()
    (left / "half").write_text("a")
    with staged_folder(tmp_path / "new", replace=True, shared=shared) as staging:
        (staging / "file").write_text("a")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file"]
    assert left.exists() == shared


def test_a_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    place = tmp_path / "below" / "report.html"
    with staged_file(place, "report") as staging:
        staging.write_text("a")
        assert not place.exists()
    assert [path.name for path in place.parent.iterdir()] == ["report.html"]
    assert place.read_text() == "a"


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt()])
def test_an_error_in_the_block_leaves_the_old_file(tmp_path: Path, error: BaseException, shared: bool) -> None:
    place = tmp_path / "report.html"
    place.write_text("old")

    def write() -> None:
        with staged_file(place, "report", shared=shared) as staging:
            staging.write_text("new")
            raise error

    with pytest.raises(type(error)):
        write()
    assert place.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_disk_that_is_full_is_told_with_the_place(tmp_path: Path) -> None:
    with (
        pytest.raises(RunError, match=r"the report cannot be written: .*No space left") as raised,
        staged_file(tmp_path / "report.html", "report"),
    ):
        raise OSError(28, "No space left on device")
    assert raised.value.where == str(tmp_path / "report.html")
    assert not list(tmp_path.iterdir())


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    place = tmp_path / "report.html"
    with staged_file(place, "report") as first, staged_file(place, "report") as second:
        first.write_text("first")
        second.write_text("second")
    assert place.read_text() == "first"  # whose block ended last


def test_what_a_killed_writer_left_is_written_over(tmp_path: Path) -> None:
    place = tmp_path / "checkpoint"
    (tmp_path / ".checkpoint.partial").write_text("half of it, and longer than the next")
    with staged_file(place, "checkpoint", shared=False) as staging:
        staging.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]
    assert place.read_text() == "whole"


@pytest.mark.parametrize("place", ["", "file/report.html", "file/below/report.html"])
def test_a_place_that_nothing_can_be_written_to_is_told_at_once(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="the report cannot be written"):
        check_place(tmp_path / place, "report")
    with pytest.raises(UsageError, match="the report cannot be written"), staged_file(tmp_path / place, "report"):
        pytest.fail("nothing can be written here")


def test_a_place_that_was_looked_at_is_as_it_was(tmp_path: Path) -> None:
    check_place(tmp_path / "below" / "report.html", "report")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("name", ["dataset.json", "news-0123.parquet", ".hidden", "a.partial"])
def test_what_is_staged_says_for_what(tmp_path: Path, name: str, shared: bool) -> None:
    with staged_file(tmp_path / name, "file", shared=shared) as staging:
        staging.touch()
        assert staged_for(staging.name) == name


@pytest.mark.parametrize("name", ["dataset.json", ".partial", "a.partial", ".a", "..partial"])
def test_other_names_are_staged_for_nothing(name: str) -> None:
    assert staged_for(name) is None
