"""What the reference says is made from the code, all of it stands on some page, and silence in the code is an error."""

import inspect
import json
import re
from collections.abc import Callable

import attrs
import click
import pytest
from doc_blocks import ROOT

import from_code
import genre
from from_code import commands, formats, hooks, parts, python, settings
from from_code.markdown import Undocumented, documented, options_table, prose, table
from genre.generation.exports import export_line
from genre.generation.store import DEFINITIONS, StoredAnswer
from genre.parts import Completion
from genre.registry import PART_HOOKS, Registry

PAGES = {path: path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md")}
REGISTRY = Registry.load(strict=True)


@pytest.mark.parametrize("name", from_code.PIECES)
def test_every_piece_can_be_made_and_stands_on_one_page(name: str) -> None:
    assert from_code.PIECES[name]().strip()
    assert [text.count(f"\n<!-- from code: {name} -->\n") for text in PAGES.values() if name in text].count(1) == 1


def test_no_page_asks_for_a_piece_that_there_is_not() -> None:
    for text in PAGES.values():
        assert "<!-- from code" not in from_code.filled(text)


def test_every_hook_and_record_stands_in_the_reference() -> None:
    told = hooks.hooks() + hooks.events()
    for name in hooks.specified():
        assert f"({name})=" in told
    assert set(PART_HOOKS) < set(hooks.specified())
    for _, record in PART_HOOKS.values():
        for field in attrs.fields(record):
            assert re.search(rf"^\| `{field.name}` \|", told, flags=re.MULTILINE)


def test_a_hook_without_a_docstring_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(genre.hooks.genre_gates, "__doc__", None)
    with pytest.raises(Undocumented, match="the hook genre_gates"):
        hooks.hooks()


@pytest.mark.parametrize("entry", REGISTRY.parts(), ids=lambda entry: f"{entry.kind}/{entry.part.name}")
def test_every_part_stands_in_the_reference(entry: "genre.registry.RegisteredPart") -> None:
    if entry.distribution == "genre-rec":
        assert f"(part-{entry.kind}-{entry.part.name})=" in from_code.PIECES[f"parts {entry.kind}"]()


def test_an_option_without_a_meaning_is_an_error() -> None:
    @attrs.frozen
    class Options:
        """Options of nothing.

        Attributes:
            told: is told.
        """

        told: int = 1
        silent: int = 2

    with pytest.raises(Undocumented, match="the option 'silent' of the gate mute"):
        options_table(Options, "the gate mute")
    assert "`told`" in options_table(Options, "the gate mute", skip=["silent"])


def test_every_command_stands_in_the_reference_with_every_option() -> None:
    told = commands.commands()
    for context, command in commands.walk():
        assert f"## `{context.command_path}`" in told
        for parameter in command.params:
            assert isinstance(parameter, click.Argument) or f"`{parameter.opts[-1]}`" in told


@pytest.mark.parametrize(
    "make",
    [
        lambda: click.Command("mute", params=[click.Option(["--silent"])], help="Says something."),
        lambda: click.Command("mute"),
    ],
    ids=["an option", "a command"],
)
def test_a_command_or_option_without_a_help_is_an_error(
    make: Callable[[], click.Command], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = make()
    monkeypatch.setattr(commands, "walk", lambda: [(click.Context(command, info_name="mute"), command)])
    with pytest.raises(Undocumented, match="mute"):
        commands.commands()


def test_every_table_of_experiment_files_is_explained() -> None:
    assert not settings.unexplained()
    assert len(settings.explained()) > 5


def test_every_class_and_function_of_the_package_has_a_docstring() -> None:
    told = python.functions() + python.contracts() + python.testing()
    for module in (genre, genre.parts, genre.testing):
        for name, each in python.public(module).items():
            if inspect.isclass(each) or inspect.isfunction(each):
                assert f":: {module.__name__}.{name}\n" in told


def test_every_field_of_an_export_is_told_and_every_column_of_the_store() -> None:
    page = PAGES[ROOT / "docs" / "reference" / "formats.md"]
    line = json.loads(export_line(StoredAnswer(b"", "ok", Completion("", ""), "", "", 0, "", "", "")))
    told = page.partition("## Export of the answer store")[2].partition("## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", told, flags=re.MULTILINE)
    assert [name for row in rows for name in re.findall(r"`(\w+)`", row)] == list(line)
    assert re.findall(r"^\| `(\w+)` \|", formats.answer_store(), flags=re.MULTILINE) == list(DEFINITIONS)


def test_own_parts_are_told_and_those_of_others_are_not() -> None:
    assert {entry.distribution for kind in parts.KINDS for entry in parts.own_parts(kind)} == {"genre-rec"}


def test_what_would_be_markup_in_a_docstring_is_text() -> None:
    assert prose("a < b, `*kept*`, 2 * 3 [x]") == r"a \< b, `*kept*`, 2 \* 3 \[x\]"
    assert table(["a"], [["x | y"]]).endswith("| x \\| y |")
    assert documented("  Says.\n    More.\n", "it") == "Says.\nMore."
