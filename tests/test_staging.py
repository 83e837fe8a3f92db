"""Files and folders are written whole or not at all, and what was there survives every failure."""

import errno
import os
import stat
from pathlib import Path
from typing import Literal, TypeAlias

import pytest

from genre.errors import UsageError
from genre.staging import WriteFailed, check_place, staged_file, staged_folder, staged_for

Existing: TypeAlias = Literal["replace", "keep", "refuse"]


def write(folder: Path, text: str, *, existing: Existing = "replace") -> None:
    with staged_folder(folder, "model", existing=existing) as staging:
        (staging / "file").write_text(text)


def test_a_folder_appears_when_the_block_ends(tmp_path: Path) -> None:
    with staged_folder(tmp_path / "new", "model", existing="replace") as staging:
        (staging / "file").write_text("a")
        assert not (tmp_path / "new").exists()
    assert (tmp_path / "new" / "file").read_text() == "a"


def test_a_folder_that_was_there_gives_way_and_leaves_nothing_behind(tmp_path: Path) -> None:
    write(tmp_path / "model", "old")
    write(tmp_path / "model", "new")
    assert (tmp_path / "model" / "file").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_that_was_there_stays_where_it_is_not_to_be_replaced(tmp_path: Path) -> None:
    write(tmp_path / "cache", "first", existing="keep")
    write(tmp_path / "cache", "second", existing="keep")
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
    with pytest.raises(WriteFailed, match="the model cannot be written: the disk is gone"):
        write(tmp_path / "model", "new")
    assert (tmp_path / "model" / "file").read_text() == "old"


@pytest.mark.parametrize("shared", [True, False])
def test_a_folder_that_was_cut_off_does_not_show_in_the_next_one(tmp_path: Path, shared: bool) -> None:
    left = tmp_path / ".new.partial"
    left.mkdir()
    (left / "half").write_text("a")
    with staged_folder(tmp_path / "new", "model", existing="replace", shared=shared) as staging:
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
        pytest.raises(WriteFailed, match=r"the report cannot be written: .*No space left") as raised,
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


@pytest.mark.parametrize("name", ["x" * 240, "file/report.html"])
def test_a_name_that_nothing_can_have_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="the report cannot be written"):
        check_place(tmp_path / name, "report")
    with pytest.raises(WriteFailed, match="the report cannot be written"), staged_file(tmp_path / name, "report"):
        pytest.fail("nothing can be written here") if "/" in name else (tmp_path / name).touch()


def test_a_disk_that_is_gone_at_the_end_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_path: Path, **_options: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    def write() -> None:
        with staged_file(tmp_path / "report.html", "report") as staging:
            staging.write_text("a")
            monkeypatch.setattr(Path, "unlink", gone)
            raise OSError(errno.EROFS, "Read-only file system")

    with pytest.raises(WriteFailed, match=r"the report cannot be written: .*Read-only"):
        write()


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSPC, WriteFailed), (errno.EIO, WriteFailed), (errno.EROFS, UsageError)]
)
def test_a_full_disk_is_no_wrong_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception]
) -> None:
    def refuse(_path: Path, **_options: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(Path, "touch", refuse)
    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(kind, match="the report cannot be written: no"):
        check_place(tmp_path / "report.html", "report")
    with pytest.raises(kind, match="the folder cannot be made: no"):
        write(tmp_path / "a", "new")


def test_what_a_link_points_to_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    link, target = tmp_path / "report.html", tmp_path / "elsewhere" / "page.html"
    link.symlink_to(target)
    check_place(link, "report")
    with staged_file(link, "report") as staging:
        staging.write_text("a")
    assert link.is_symlink()
    assert target.read_text() == "a"
    assert [path.name for path in target.parent.iterdir()] == ["page.html"]


@pytest.mark.parametrize("place", ["", "pipe"])
def test_what_is_no_file_is_not_replaced(tmp_path: Path, place: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="the report cannot be written"):
        check_place(tmp_path / place, "report")


def test_a_file_system_that_syncs_no_folders_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def sync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", sync)
    with staged_file(tmp_path / "report.html", "report") as staging:
        staging.write_text("a")
    assert (tmp_path / "report.html").read_text() == "a"


def test_a_folder_that_is_in_use_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "data", "old")
    with pytest.raises(WriteFailed, match=r"the model cannot be written: .*not empty"):
        write(tmp_path / "data", "new", existing="refuse")
    assert (tmp_path / "data" / "file").read_text() == "old"


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
