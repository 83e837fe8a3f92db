"""Parts that come with genre, with their options."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from from_code.markdown import code, documented, options_rows, prose, table
from genre.generation.asking import AnswerOptions
from genre.option_docs import described_options, toml_value
from genre.part_docs import NamedPart, described_part, named_parts
from genre.parts import Baseline, Part, Task
from genre.registry import RegisteredPart, Registry

KINDS: Final = (
    "dataset", "task", "prompter", "updater", "gate", "generator", "executor", "tracker", "baseline", "field-encoder",
    "news-encoder", "user-encoder", "interaction",
)  # fmt: skip
_DEEP: Final = ("task", "prompter", "updater", "baseline", "encoder", "interaction")
"""Kinds that share a page with others, each below a title of its own."""
_PAGES: Final = Path(__file__).parents[1]


@functools.cache
def registry() -> Registry:
    """The built-in parts; plugins that somebody else installed are left out of the pages."""
    return Registry.load(strict=True)


def own_parts(kind: str) -> list[RegisteredPart]:
    """Parts of genre's own distribution."""
    return [entry for entry in registry().parts(kind) if entry.distribution == "genre-rec"]


def piece(kind: str) -> Callable[[], str]:
    """What makes the section of a kind."""
    return lambda: "\n".join(_part(entry) for entry in own_parts(kind))


def _part(entry: RegisteredPart) -> str:
    part = entry.part
    what = f"the {entry.kind} {part.name}"
    title = "###" if entry.kind.endswith(_DEEP) else "##"
    pieces = [f"(part-{entry.kind}-{part.name})=\n{title} {part.name}\n", f"{prose(documented(part.summary, what))}."]
    if part.source:
        link = f"<{part.source}>" if part.source.startswith("https://") else prose(part.source)
        pieces.append(f"Source: {link}.")
    if isinstance(part, Task):
        pieces += _task(part)
    elif isinstance(part, Baseline):
        pieces += _baseline(part)
    else:
        pieces += _options(entry, part, what)
    return "\n\n".join(pieces) + "\n"


def _options(entry: RegisteredPart, part: Part, what: str) -> Iterator[str]:
    cls = registry().options_class(entry.kind, part.name)
    if cls is None:
        yield "It has no options."
        return
    paragraphs = documented(cls.__doc__, f"the options of {what}").split("\n\n")
    yield from (prose(text) for text in paragraphs[1:] if not text.startswith(("Attributes:", "Raises:")))
    yield options_rows(described_part(registry(), entry).options, what)


def _task(task: Task) -> Iterator[str]:
    named = named_parts(task)
    yield from (f"Its {each.role} is {_linked(each)}." for each in named if each.kind != "gate")
    if task.gates:
        yield f"Gates: {', '.join(_linked(each) for each in named if each.kind == 'gate')}."
    template = Path(str(task.defaults["template"]))
    rows = [(code(name), code(toml_value(value))) for name, value in task.defaults.items() if name != "template"]
    if rows:
        yield f"Where it departs from their defaults:\n\n{table(('option', 'default'), rows)}"
    yield f"Its template, `{template.name}`:\n\n```jinja\n{template.read_text(encoding='utf-8').strip()}\n```"


def answer_options() -> str:
    """Options that every task has."""
    return options_rows(described_options(AnswerOptions), "every task")


def _baseline(baseline: Baseline) -> Iterator[str]:
    page = f"baselines/{baseline.name}.md"
    readers = ", ".join(f"{field} by {code(encoder)}" for field, encoder in baseline.field_encoders.items())
    yield f"Reads {readers}."
    yield table(
        ("part", "name", "options that differ from its defaults"),
        [
            (each.role, _linked(each), code(toml_value(each.said)) if each.said else "")
            for each in named_parts(baseline)
        ],
    )
    yield f"Width {baseline.dim}, loss `{baseline.loss}`."
    if (_PAGES / "reference" / page).is_file():
        yield f"Formulas, parameters and departures from the paper: [{baseline.name}](../{page})."


def _linked(named: NamedPart) -> str:
    return f"[{code(named.name)}](#part-{named.kind}-{named.name})"
