"""What options classes say of themselves: what each option takes, its default, and what it means."""

import inspect
import json
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, Union, get_args, get_origin, get_type_hints

import attrs

from genre.options import Secret

_SCALARS: Final[Mapping[object, str]] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "true or false",
    Path: "path",
    object: "any value",
    type(None): "none",
    Secret: '{ env = "VARIABLE" }',
}
_ENTRY: Final = re.compile(r"(\w+(?:, \w+)*):\s+(.*)")
"""A line that begins an entry of `Attributes:`, such as `prompt, completion: US dollars for a million tokens.`"""


@attrs.frozen
class DescribedOption:
    """One option, as pages and `genre plugins show` tell it.

    Attributes:
        name: its name in TOML.
        takes: what may be written, such as `integer` or `list of texts`.
        default: the default as TOML writes it, `none` for no value; None where the option is required.
        meaning: from the class's docstring; empty where that does not say.
        tables: classes of the tables that the option holds, if it holds any.
    """

    name: str
    takes: str
    default: str | None
    meaning: str
    tables: tuple[type, ...] = ()


def described_options(cls: type) -> tuple[DescribedOption, ...]:
    """The options of an attrs class, in their order.

    Args:
        cls: the class that `genre.options.structure` would build.
    """
    hints = get_type_hints(cls)
    meanings = attributes_section(cls)
    return tuple(
        DescribedOption(
            name=field.name,
            takes=type_in_words(hints[field.name]),
            default=_default(field),
            meaning=meanings.get(field.name, ""),
            tables=tuple(dict.fromkeys(_tables(hints[field.name]))),
        )
        for field in attrs.fields(cls)
        if field.init
    )


def attributes_section(cls: type) -> dict[str, str]:
    """What the `Attributes:` sections of a class and of its bases say, by name; the class itself has the last word."""
    meanings: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        _, found, section = f"\n{inspect.cleandoc(each.__dict__.get('__doc__') or '')}".partition("\nAttributes:\n")
        if found:
            meanings |= _entries(section)
    return meanings


def _entries(section: str) -> Iterator[tuple[str, str]]:
    """Names and texts of a section's entries; lines that are indented further go on with the entry above."""
    names: list[str] = []
    text: list[str] = []
    for line in [*section.splitlines(), "end"]:
        entry = _ENTRY.fullmatch(line.strip()) if line.startswith("    ") and line[4:5].strip() else None
        if entry or (line and not line.startswith(" ")):
            yield from ((name, " ".join(text)) for name in names)
            if not entry:
                return
            names, text = entry[1].split(", "), [entry[2]]
        elif line.strip():
            text.append(line.strip())


def type_in_words(hint: object) -> str:
    """A type as a reader of TOML needs it: `list of texts`, `"a" or "b"`, `table of numbers`."""
    if hint in _SCALARS:
        return _SCALARS[hint]
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " or ".join(json.dumps(choice) for choice in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(type_in_words(each) for each in inner if each is not type(None))
    if origin is not None:
        return _collection_in_words(origin, inner)
    return "table" if inspect.isclass(hint) and attrs.has(hint) else str(hint)


def _collection_in_words(origin: object, inner: Sequence[object]) -> str:
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return f"table of {_plural(type_in_words(inner[1]))}"
    if origin is tuple and tuple(inner[1:]) != (...,):
        return f"list of {len(inner)}: {', '.join(map(type_in_words, inner))}"
    return f"list of {_plural(type_in_words(inner[0]))}"


def _plural(words: str) -> str:
    first, *rest = words.split(" ", 1)
    return " ".join([f"{first}s" if first in ("text", "integer", "number", "path", "table", "list") else first, *rest])


def _tables(hint: object) -> Iterator[type]:
    if inspect.isclass(hint) and attrs.has(hint) and hint is not Secret:
        yield hint
    for each in get_args(hint):
        yield from _tables(each)


def default_of(field: "attrs.Attribute[object]") -> object:
    """A field's default, made by its factory if it has one; `attrs.NOTHING` where the field is required."""
    make = getattr(field.default, "factory", None)
    return make() if callable(make) else field.default


def _default(field: "attrs.Attribute[object]") -> str | None:
    default = default_of(field)
    return None if default is attrs.NOTHING else toml_value(default)


def toml_value(value: object) -> str:
    """A value as TOML writes it; `none` where it cannot, and a path of this installation by the file's name alone."""
    if value is None:
        return "none"
    if isinstance(value, Path):
        return f"genre's own {value.name}" if value.is_absolute() else json.dumps(value.as_posix())
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(str(name))} = {toml_value(each)}" for name, each in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    kind = type(value)
    if attrs.has(kind):
        return toml_value({field.name: getattr(value, field.name) for field in attrs.fields(kind)})
    return json.dumps(value)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[\w-]+", name) else json.dumps(name)
