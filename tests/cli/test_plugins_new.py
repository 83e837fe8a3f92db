"""`genre plugins new`: what it writes, and what it refuses to write."""

import tomllib
from pathlib import Path

import pytest
from command_line import Genre
from hypothesis import given, settings
from hypothesis import strategies as st
from plugin_packages import PART, install

from genre.authoring import new_package
from genre.authoring.naming import LONGEST
from genre.errors import UsageError
from genre.registry import Registry


def test_it_says_where_the_package_is_and_what_to_do_next(genre: Genre, tmp_path: Path) -> None:
    outcome = genre("plugins", "new", "fast-news", "--kind", "generator")
    assert outcome.code == 0, outcome.err
    assert "genre-fast-news: a package with the generator 'fast-news'" in outcome.out
    assert "pip install --editable '.[dev]' && pytest" in outcome.out
    project = tomllib.loads((tmp_path / "genre-fast-news" / "pyproject.toml").read_text())["project"]
    assert project["name"] == "genre-fast-news"
    assert project["entry-points"] == {"genre": {"fast-news": "genre_fast_news"}}


def test_the_package_is_put_where_out_says(genre: Genre, tmp_path: Path) -> None:
    assert genre("plugins", "new", "mine", "--kind", "gate", "--out", "some/where").code == 0
    assert [path.name for path in (tmp_path / "some" / "where").iterdir()] == ["genre-mine"]


def test_what_to_do_next_can_be_pasted_into_a_shell(genre: Genre) -> None:
    outcome = genre("plugins", "new", "mine", "--kind", "gate", "--out", "my own; folder")
    assert "next: cd 'my own; folder/genre-mine' && pip install" in outcome.out


def test_an_empty_folder_is_filled(genre: Genre, tmp_path: Path) -> None:
    (tmp_path / "genre-mine").mkdir()
    assert genre("plugins", "new", "mine", "--kind", "gate").code == 0
    assert (tmp_path / "genre-mine" / "README.md").is_file()


def test_a_folder_that_holds_something_stays_as_it_is(genre: Genre, tmp_path: Path) -> None:
    (tmp_path / "genre-mine").mkdir()
    (tmp_path / "genre-mine" / "notes.txt").write_text("mine")
    outcome = genre("plugins", "new", "mine", "--kind", "gate")
    assert outcome.code == 2
    assert "genre-mine: there is something already" in outcome.err
    assert [path.name for path in (tmp_path / "genre-mine").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("elsewhere", ["file", "folder", "nowhere"])
def test_a_link_is_not_followed(genre: Genre, tmp_path: Path, elsewhere: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "genre-mine").symlink_to(tmp_path / elsewhere)
    outcome = genre("plugins", "new", "mine", "--kind", "gate")
    assert outcome.code == 2
    assert "there is something already" in outcome.err
    assert not list((tmp_path / "folder").iterdir())
    assert not (tmp_path / "nowhere").exists()


def test_a_place_that_cannot_be_made_is_told(genre: Genre, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    outcome = genre("plugins", "new", "mine", "--kind", "gate", "--out", "file/below")
    assert outcome.code == 2
    assert "cannot be made" in outcome.err


NO_NAMES = [
    "", "../up", "a/b", "/etc", "a.b", "A", "with space", "-a", "a-", "a--b", "9lives", "naïve", "a\nb", "a\0b",
    "genre-mine", "x" * (LONGEST + 1),
]  # fmt: skip


@pytest.mark.parametrize("name", NO_NAMES)
def test_what_is_no_name_is_refused(genre: Genre, tmp_path: Path, name: str) -> None:
    outcome = genre("plugins", "new", "--kind", "gate", "--", name)
    assert outcome.code == 2
    assert "the name" in outcome.err
    assert not list(tmp_path.iterdir())


@given(name=st.text(max_size=20))
@settings(deadline=None)
def test_whatever_the_name_nothing_is_written_outside_of_its_folder(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    around = tmp_path_factory.mktemp("around")
    try:
        package = new_package(REGISTRY, name, "gate", around / "out")
    except UsageError:
        assert not list(around.iterdir())
    else:
        assert [path.name for path in around.iterdir()] == ["out"]
        assert list((around / "out").iterdir()) == [package.folder] == [around / "out" / f"genre-{name}"]


REGISTRY = Registry.load()


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("local", "generator", "there is a generator 'local' already, of genre-rec"),
        ("nrms", "baseline", "there is a baseline 'nrms' already, of genre-rec"),
        ("nrms", "user-encoder", "there is a user-encoder 'nrms' already"),
        ("news-summarizer", "prompter", "there is a task 'news-summarizer' already"),
        ("train", "command", "the command 'train' is built in"),
        ("rec", "gate", "a distribution 'genre-rec' is installed already"),
        ("tasks", "gate", "there is a package 'genre_tasks' already"),
    ],
)
def test_a_name_that_something_has_is_refused(genre: Genre, tmp_path: Path, name: str, kind: str, reason: str) -> None:
    outcome = genre("plugins", "new", name, "--kind", kind)
    assert outcome.code == 2
    assert reason in outcome.err
    assert not list(tmp_path.iterdir())


def test_a_name_of_somebody_s_plugin_is_refused(genre: Genre, site: Path) -> None:
    install(site, "genre-clicks", PART.replace("{name}", "clicks"))
    outcome = genre("plugins", "new", "clicks", "--kind", "dataset")
    assert outcome.code == 2
    assert "there is a dataset 'clicks' already, of genre-clicks" in outcome.err


def test_an_unknown_kind_is_told_with_the_nearest(genre: Genre) -> None:
    outcome = genre("plugins", "new", "mine", "--kind", "generater")
    assert outcome.code == 2
    assert "did you mean 'generator'?" in outcome.err
