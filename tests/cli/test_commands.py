"""Commands that plugins add: listed without their code, and how a broken one is answered."""

import sys
from pathlib import Path

import pytest
from command_line import Genre

PLUGIN = """
from genre import hookimpl
from genre.parts import Part

@hookimpl
def genre_commands():
    yield Part(name="{name}", summary="Waves at you", target="{target}")
"""


def add_command(folder: Path, *, name: str = "wave", target: str = "genre_local_waver:wave", code: str = "") -> None:
    """A project whose plugin file adds a command."""
    (folder / "mine").mkdir()
    (folder / "mine" / "waver.py").write_text(PLUGIN.replace("{name}", name).replace("{target}", target) + code)
    (folder / "registry.toml").write_text('[plugins]\nfolders = ["mine"]\n', encoding="utf-8")


WAVE = '''
import click

@click.command()
@click.argument("name")
@click.option("--times", default=1)
def wave(name, times):
    """Wave."""
    click.echo(" ".join(["bye"] * times + [name]))
'''


def test_a_plugin_s_command_is_listed_with_its_summary(genre: Genre, tmp_path: Path) -> None:
    add_command(tmp_path, code=WAVE)
    outcome = genre("--help")
    assert outcome.code == 0, outcome.err
    [line] = [line for line in outcome.out.splitlines() if "wave" in line]
    assert "Waves at you" in line


def test_a_plugin_s_command_gets_its_arguments(genre: Genre, tmp_path: Path) -> None:
    add_command(tmp_path, code=WAVE)
    outcome = genre("wave", "Ann", "--times", "2")
    assert (outcome.code, outcome.out) == (0, "bye bye Ann\n")


def test_a_plugin_s_command_has_a_help_of_its_own(genre: Genre, tmp_path: Path) -> None:
    add_command(tmp_path, code=WAVE)
    outcome = genre("wave", "--help")
    assert outcome.code == 0
    assert "--times" in outcome.out


def test_a_group_of_commands_may_be_added(genre: Genre, tmp_path: Path) -> None:
    code = (
        "import click\n\n@click.group()\ndef wave():\n    pass\n\n"
        "@wave.command()\ndef twice():\n    click.echo('bye bye')\n"
    )
    add_command(tmp_path, code=code)
    assert genre("wave", "twice").out == "bye bye\n"


def test_listing_commands_imports_none_of_their_code(genre: Genre, tmp_path: Path) -> None:
    add_command(tmp_path, target="genre_no_such_module:wave")
    outcome = genre("--help")
    assert outcome.code == 0, outcome.err
    assert "Waves at you" in outcome.out


BROKEN = {
    "a module that is not there": "genre_no_such_module:wave",
    "a member that is not there": "genre_local_waver:wvae",
    "something else than a command": "genre_local_waver:Part",
}


@pytest.mark.parametrize("target", BROKEN.values(), ids=BROKEN)
def test_calling_a_broken_command_is_an_error_that_names_it(genre: Genre, tmp_path: Path, target: str) -> None:
    add_command(tmp_path, target=target)
    outcome = genre("wave")
    assert outcome.code == 2
    assert "wave" in outcome.err
    assert "Traceback" not in outcome.err


def test_a_command_with_the_name_of_a_built_in_one_is_an_error(genre: Genre, tmp_path: Path) -> None:
    add_command(tmp_path, name="train", code=WAVE)
    for arguments in (["--help"], ["train", str(tmp_path), "--baseline", "nrms", "--out", "model"]):
        outcome = genre(*arguments)
        assert outcome.code == 2
        assert "the command 'train' of" in outcome.err
        assert "waver.py has the name of a built-in one" in outcome.err


def test_a_disabled_command_may_have_the_name_of_a_built_in_one(genre: Genre, tmp_path: Path) -> None:
    add_command(tmp_path, name="train", code=WAVE)
    with (tmp_path / "registry.toml").open("a") as file:
        file.write("disabled = ['command/train']\n")
    assert genre("--help").code == 0


def test_a_command_whose_module_fails_is_an_error_that_names_its_plugin(genre: Genre, tmp_path: Path) -> None:
    add_command(tmp_path, target="genre_test_falling:wave")
    (tmp_path / "genre_test_falling.py").write_text("raise RuntimeError('no')\n")
    sys.path.insert(0, str(tmp_path))
    try:
        outcome = genre("wave")
    finally:
        sys.path.remove(str(tmp_path))
    assert outcome.code == 2
    assert "the command 'wave' of" in outcome.err
    assert "waver.py failed to load: RuntimeError('no')" in outcome.err


def test_an_unknown_kind_of_parts_is_an_error_with_the_nearest(genre: Genre) -> None:
    outcome = genre("plugins", "list", "--kind", "tsk")
    assert outcome.code == 2
    assert "did you mean 'task'?" in outcome.err


def test_what_a_stranger_s_file_says_in_an_error_does_not_steer_the_terminal(
    genre: Genre, small_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "answers.jsonl").write_text('{"nid": "N1", "x\\u001b]0;owned\\u0007\\u001b[2J": "a", "y": "b"}\n')
    (tmp_path / "registry.toml").write_text('[generators.old]\nplugin = "replay"\npaths = ["answers.jsonl"]\n')
    outcome = genre("enrich", small_folder, "--task", "news-summarizer", "--generator", "old", "--out", "rich")
    assert outcome.code == 2
    assert "\\x1b]0;owned\\x07\\x1b[2J" in outcome.err
    assert "\x1b" not in outcome.err
