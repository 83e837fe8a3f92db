"""`genre plugins show`: what a part says of itself."""

import json
from pathlib import Path

import pytest
from command_line import Genre
from plugin_packages import install

from genre.registry import Registry
from genre.version import __version__

CLICKS = '''
import attrs
from genre import hookimpl
from genre.parts import Part


@attrs.frozen
class Options:
    """
    Attributes:
        most: how many [red]clicks[/] count.
        file: where they are.
    """

    file: str
    most: int | None = 5


@hookimpl
def genre_datasets():
    yield Part(
        name="clicks", summary="Clicks", source="Doe et al.", target="{module}:read", options="{module}:Options"
    )


@hookimpl
def genre_gates():
    yield Part(name="clicks", summary="Judges clicks", target="{module}:judge")
'''


def shown(genre: Genre, *arguments: str) -> list[dict[str, object]]:
    outcome = genre("plugins", "show", *arguments, "--json")
    assert outcome.code == 0, outcome.err
    found = json.loads(outcome.out)
    assert isinstance(found, list)
    return found


def test_a_part_tells_who_provides_it_its_source_and_its_options(genre: Genre, site: Path) -> None:
    install(site, "genre-shown", CLICKS)
    assert shown(genre, "clicks", "--kind", "dataset") == [
        {
            "kind": "dataset",
            "name": "clicks",
            "summary": "Clicks",
            "source": "Doe et al.",
            "distribution": "genre-shown",
            "release": "genre-shown 1.0",
            "enabled": True,
            "target": "genre_shown:read",
            "made_of": {},
            "options": [
                {"name": "file", "takes": "text", "default": None, "meaning": "where they are."},
                {"name": "most", "takes": "integer", "default": "5", "meaning": "how many [red]clicks[/] count."},
            ],
        }
    ]


def test_a_list_shows_a_summary_as_it_is_written(genre: Genre, site: Path) -> None:
    install(site, "genre-bracketed", CLICKS.replace('summary="Clicks"', 'summary="Clicks [bold]of[/] [1]"'))
    assert "Clicks [bold]of[/] [1]" in genre("plugins", "list", "--kind", "dataset").out


def test_the_same_stands_on_the_terminal(genre: Genre, site: Path) -> None:
    install(site, "genre-shown", CLICKS)
    out = genre("plugins", "show", "clicks", "--kind", "dataset").out
    for text in ("dataset clicks", "Doe et al.", "genre-shown 1.0", "genre_shown:read", "how many [red]clicks[/]"):
        assert text in out
    assert [line.split()[2] for line in out.splitlines() if line.startswith(" file")] == ["required"]


def test_parts_of_one_name_in_several_kinds_are_all_shown(genre: Genre, site: Path) -> None:
    install(site, "genre-shown", CLICKS)
    assert [part["kind"] for part in shown(genre, "clicks")] == ["dataset", "gate"]
    out = genre("plugins", "show", "clicks").out
    assert out.index("dataset clicks") < out.index("gate clicks")
    assert "options       none" in out


def test_a_disabled_part_is_shown_and_said_to_be_off(genre: Genre, site: Path, tmp_path: Path) -> None:
    install(site, "genre-shown", CLICKS)
    (tmp_path / "registry.toml").write_text("[plugins]\ndisabled = ['dataset/clicks']\n")
    [part] = shown(genre, "clicks", "--kind", "dataset")
    assert part["enabled"] is False
    assert part["options"]


def test_a_task_has_the_options_of_its_prompter_and_its_updater_with_its_own_defaults(genre: Genre) -> None:
    [task] = shown(genre, "book-describer")
    assert task["made_of"] == {"prompter": "news-text", "updater": "text-version"}
    assert task["target"] is None
    options = task["options"]
    assert isinstance(options, list)
    defaults = {option["name"]: option["default"] for option in options}
    assert len(defaults) == len(options)
    assert (defaults["max_length"], defaults["field"], defaults["reads"]) == ("1200", '"abstract"', '"original"')
    assert "template" in defaults


def test_a_baseline_has_the_options_of_its_parts_as_an_experiment_names_them(genre: Genre) -> None:
    [baseline] = shown(genre, "nrms", "--kind", "baseline")
    made_of = baseline["made_of"]
    assert isinstance(made_of, dict)
    assert made_of["user encoder"] == "nrms"
    options = baseline["options"]
    assert isinstance(options, list)
    defaults = {option["name"]: option["default"] for option in options}
    assert (defaults["dim"], defaults["user_options.heads"], defaults["loss"]) == ("64", "8", '"cross-entropy"')


def test_a_table_among_the_options_is_told_with_what_it_holds(genre: Genre) -> None:
    [part] = shown(genre, "news-text", "--kind", "prompter")
    options = part["options"]
    assert isinstance(options, list)
    names = [option["name"] for option in options]
    assert names[names.index("sampling") + 1] == "sampling.max_tokens"


@pytest.mark.parametrize("name", sorted({entry.part.name for entry in Registry.load().parts()}))
def test_every_built_in_part_can_be_shown_and_each_of_its_options_says_what_it_is(genre: Genre, name: str) -> None:
    for part in shown(genre, name):
        assert part["release"] == f"genre-rec {__version__}"
        options = part["options"]
        assert isinstance(options, list)
        assert all(option["takes"] and option["meaning"] for option in options)


def test_a_command_refers_to_its_own_help(genre: Genre, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "waver.py").write_text(
        "from genre import hookimpl\nfrom genre.parts import Part\n\n"
        "@hookimpl\ndef genre_commands():\n    yield Part(name='wave', summary='Waves', target='genre_local_waver:w')\n"
    )
    (tmp_path / "registry.toml").write_text('[plugins]\nfolders = ["mine"]\n', encoding="utf-8")
    outcome = genre("plugins", "show", "wave")
    assert outcome.code == 0
    assert "genre wave --help" in outcome.out
    assert "waver.py" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nrmz",), "there is no part 'nrmz'\n  -> did you mean 'nrms'?"),
        (("nrms", "--kind", "task"), "there is no task 'nrms'"),
        (("nrms", "--kind", "tsk"), "did you mean 'task'?"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(genre: Genre, arguments: tuple[str, ...], told: str) -> None:
    outcome = genre("plugins", "show", *arguments)
    assert outcome.code == 2
    assert told in outcome.err


def test_options_that_cannot_be_imported_are_told(genre: Genre, site: Path) -> None:
    install(site, "genre-without-options", CLICKS.replace("{module}:Options", "{module}:Missing"))
    outcome = genre("plugins", "show", "clicks", "--kind", "dataset")
    assert outcome.code == 2
    assert "cannot import 'genre_without_options:Missing'" in outcome.err
