"""The hooks that a plugin implements, and the records that they yield."""

import inspect
from collections.abc import Iterator
from types import FunctionType

import attrs

from from_code.markdown import code, documented, prose, table
from genre import hooks as specifications
from genre.hooks import PROJECT
from genre.option_docs import attributes_section, default_of, toml_value
from genre.parts import DatasetPart
from genre.registry import PART_HOOKS


def specified() -> dict[str, FunctionType]:
    """Every hook, in the order of `genre/hooks.py`."""
    return {
        name: each
        for name, each in vars(specifications).items()
        if isinstance(each, FunctionType) and hasattr(each, f"{PROJECT}_spec")
    }


def hooks() -> str:
    """Hooks that yield parts, and then each record with its attributes."""
    pieces = []
    records: dict[type, list[str]] = {}
    for name, hook in specified().items():
        if name in PART_HOOKS:
            kind, record = PART_HOOKS[name]
            records.setdefault(record, []).append(name)
            kinds = code(kind) if kind else "`field-encoder`, `news-encoder`, `user-encoder`"
            pieces.append(
                f"({name})=\n### {code(name)}\n\n{prose(documented(hook.__doc__, f'the hook {name}'))}\n\n"
                f"Yields [{code(record.__name__)}](#record-{record.__name__.lower()}). Kind of part: {kinds}.\n"
            )
    records[DatasetPart] = ["genre_datasets"]
    return "\n".join([*pieces, "## Records\n", *_records(records)])


def _records(records: dict[type, list[str]]) -> Iterator[str]:
    for record, names in records.items():
        title = record.__name__
        yield (
            f"(record-{title.lower()})=\n### {code(f'genre.parts.{title}')}\n\n"
            f"{prose(_first_paragraph(record))}\n\nOf {', '.join(f'[{code(name)}](#{name})' for name in names)}.\n\n"
            f"{attributes_table(record)}\n"
        )


def events() -> str:
    """Hooks that listen, and what they are told."""
    pieces = []
    for name, hook in specified().items():
        if name not in PART_HOOKS:
            [told] = inspect.signature(hook).parameters.values()
            event = told.annotation
            pieces.append(
                f"({name})=\n### {code(f'{name}({told.name})')}\n\n"
                f"{prose(documented(hook.__doc__, f'the hook {name}'))}\n\n"
                f"`{told.name}` is a `genre.parts.{event.__name__}`: {prose(_first_paragraph(event))}\n\n"
                f"{attributes_table(event)}\n"
            )
    return "\n".join(pieces)


def _first_paragraph(cls: type) -> str:
    text = documented(cls.__doc__, cls.__qualname__).partition("\n\n")[0]
    return " ".join(text.split())


def attributes_table(cls: type) -> str:
    """Every field of an attrs class; what is obvious may go without words."""
    told = attributes_section(cls)
    rows = []
    for field in attrs.fields(cls):
        default = default_of(field)
        shown = "required" if default is attrs.NOTHING else code(toml_value(default)) if default != "" else "empty"
        rows.append((code(field.name), shown, prose(told.get(field.name, ""))))
    return table(("attribute", "default", "what it is"), rows)
