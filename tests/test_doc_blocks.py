"""Each code block of README and docs is run, or is a file of the repository, or is checked against the code.

A new page is held to it without a new test: its commands have to parse, its tables have to be settings, its templates
have to load. Its Python has to be a file, or the page stands in `FOLLOWED` or `RUN_BY`.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click
import pytest
from doc_blocks import PAGES, ROOT, Block, blocks_of, commands_of, page_name

from genre.cli.main import genre as command_line
from genre.experiments import load_experiment
from genre.experiments.rounds import rounds_of_experiment
from genre.generation import ChatTemplate, Limits
from genre.options import structure
from genre.registry import Registry
from genre.settings import TABLES

LANGUAGES: Final = {"sh", "python", "toml", "jinja", "text", "{toctree}", "{include}"}
"""`text` is what nobody runs: output, formats, and what is typed on other machines."""
FOLLOWED: Final = {
    "docs/how-to/own-data.md", "docs/how-to/own-task.md", "docs/how-to/openai-compatible.md",
    "docs/explanation/trust.md",
}  # fmt: skip
"""Pages whose steps `test_pages_followed.py` takes, one after another."""
RUN_BY: Final = {
    "README.md": "tests/test_docs.py",
    "docs/explanation/statistics.md": "tests/test_docs.py",
    "docs/how-to/sixty-minutes.md": "tests/test_wheel.py",
    "docs/how-to/trackers.md": "tests/test_tracker_docs.py",
    "docs/how-to/using-a-model.md": "tests/cli/test_using_a_model_page.py",
    "docs/reference/report.md": "tests/report/test_page.py",
}
"""Pages whose Python a test of its own runs."""
PROGRAMS: Final = {
    ".": "a shell's own: it activates the environment",
    "cd": "a shell's own: the folder that the command before made",
    "pytest": "the tests of a package that the reader made",
    "tensorboard": "of the extra `trackers`; it serves until it is stopped",
}
"""Other programs on pages, and why they are not looked into."""
REGISTRY: Final = Registry.load(strict=True)
FILES: Final = {
    path.read_text(encoding="utf-8")
    for folder in ("tests/packages", "examples")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".py", ".toml", ".jinja") and path.is_file()
}


def of(language: str) -> list[Any]:
    """Every block of a language, as pytest's parameters."""
    return [
        pytest.param(page, block, id=f"{page_name(page)}:{block.line}")
        for page in PAGES
        for block in blocks_of(page)
        if block.language == language
    ]


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_block_says_what_it_is(page: Path) -> None:
    assert {block.language for block in blocks_of(page)} <= LANGUAGES


@pytest.mark.parametrize(("page", "block"), of("sh"))
def test_every_command_is_one(page: Path, block: Block) -> None:
    for words in commands_of(block):
        program, *rest = words
        if program == "torchrun":
            program, rest = "genre", rest[rest.index("genre") + 1 :]
        if program == "genre":
            parsed(rest)
        elif program == "make":
            assert re.search(rf"^{rest[0]}:", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
        elif program == "pip":
            assert_extra_exists(rest)
        elif program in ("python3", ".venv/bin/python"):
            assert rest[:2] in (["-m", "venv"], ["-m", "pip"])
        elif program == "python":
            assert rest[0] in {other.name for other in blocks_of(page)}
        else:
            assert program in PROGRAMS, program


def parsed(words: list[str]) -> None:
    """Let click read the call: commands, options, values and what is required."""
    command: click.Command = command_line
    context = click.Context(command_line, info_name="genre")
    while isinstance(command, click.Group):
        name, below = words[0], command.get_command(context, words[0])
        assert below is not None, name
        command, words = below, words[1:]
        context = click.Context(command, info_name=name, parent=context)
    command.make_context(context.info_name, words, parent=context.parent)


def assert_extra_exists(words: list[str]) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for named in re.findall(r"genre-rec\[([\w,]+)\]", " ".join(words)):
        assert set(named.split(",")) <= set(extras)


@pytest.mark.parametrize(("page", "block"), of("toml"))
def test_every_table_says_something_that_is_understood(page: Path, block: Block, tmp_path: Path) -> None:
    if block.text in FILES:
        return
    tables = tomllib.loads(block.text)
    own = names_of_the_page(page)
    check_registry(tables, own)
    for folder in tables.get("plugins", {}).get("folders", ()):
        (tmp_path / folder).mkdir()
    path = tmp_path / "experiment.toml"
    path.write_text(completed(tables, block.text), encoding="utf-8")
    experiment = load_experiment(path)
    rounds = [each for variant in experiment.variants for each in variant.rounds]
    named = {name for each in rounds for name in (each.task, each.generator)}
    if not named & own and "template" not in block.text:  # the page's own, which its own test looks into
        rounds_of_experiment(experiment, REGISTRY.with_settings(experiment.layered(REGISTRY.settings)))
    for name in experiment.overrides:
        REGISTRY.get("baseline", name)


def completed(tables: Mapping[str, Any], text: str) -> str:
    """The text, with what an experiment needs and the text leaves out."""
    missing = {"name": 'name = "page"', "dataset": 'dataset = { reader = "sample" }'}
    missing["variants"] = 'variants = [{ name = "original" }]'
    return "\n".join([*(line for key, line in missing.items() if key not in tables), text])


def names_of_the_page(page: Path) -> set[str]:
    """Names of parts that the page's own Python declares, or a package that it makes or shows."""
    declared = re.compile(r'\bname="([a-z-]+)"|^genre plugins new ([a-z-]+)', re.MULTILINE)
    named = {one or other for block in blocks_of(page) for one, other in declared.findall(block.text)}
    return named | {"parrot"}


def check_registry(tables: Mapping[str, Any], own: set[str]) -> None:
    """Structure the options of every instance that registry.toml's tables name."""
    for kind in ("generator", "executor", "tracker"):
        named = tables.get(f"{kind}s", {})
        for name, table in named.items() if isinstance(named, dict) else ():
            options = {key: value for key, value in table.items() if key not in ("plugin", "limits")}
            structure(table.get("limits", {}), Limits, f"{name}.limits")
            if (plugin := table.get("plugin", name)) not in own:
                REGISTRY.structure_options(kind, plugin, options)  # type: ignore[arg-type]
    for task in tables.get("tasks", {}):
        assert task in own or REGISTRY.get("task", task)


def test_a_table_of_registry_toml_is_never_taken_for_something_else() -> None:
    assert set(TABLES) == {"plugins", "generators", "executors", "trackers", "tasks", "defaults"}


@pytest.mark.parametrize(("page", "block"), of("jinja"))
def test_every_template_is_one(page: Path, block: Block, tmp_path: Path) -> None:
    (tmp_path / "page.jinja").write_text(block.text, encoding="utf-8")
    assert "user" in ChatTemplate.load(tmp_path / "page.jinja").roles


@pytest.mark.parametrize(("page", "block"), of("python"))
def test_all_python_is_run_or_is_a_file(page: Path, block: Block) -> None:
    name = page_name(page)
    if name in RUN_BY:
        assert page.stem in (ROOT / RUN_BY[name]).read_text(encoding="utf-8")
    else:
        assert name in FOLLOWED or block.text in FILES
