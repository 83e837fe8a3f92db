"""Parts that come with genre, with their options."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from from_code.markdown import code, documented, options_rows, prose, table
from genre.generation.asking import AnswerOptions
from genre.option_docs import described_options, toml_value
from genre.part_docs import described_part
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
    for kind, name in (("prompter", task.prompter), ("updater", task.updater)):
        yield f"Its {kind} is [{code(name)}](#part-{kind}-{name})."
    if task.gates:
        yield f"Gates: {', '.join(map(code, task.gates))}."
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
            *(
                ("field encoder", _linked("field-encoder", name), _said(baseline.field_options.get(name, {})))
                for name in dict.fromkeys(baseline.field_encoders.values())
            ),
            ("news encoder", _linked("news-encoder", baseline.news_encoder), _said(baseline.news_options)),
            ("user encoder", _linked("user-encoder", baseline.user_encoder), _said(baseline.user_options)),
            ("interaction", _linked("interaction", baseline.interaction), _said(baseline.interaction_options)),
        ],
    )
    yield f"Width {baseline.dim}, loss `{baseline.loss}`."
    if (_PAGES / "reference" / page).is_file():
        yield f"Formulas, parameters and departures from the paper: [{baseline.name}](../{page})."


def _linked(kind: str, name: str) -> str:
    return f"[{code(name)}](#part-{kind}-{name})"


def _said(options: object) -> str:
    return code(toml_value(options)) if options else ""
