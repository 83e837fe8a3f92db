"""Answers that nobody gave yet, made up from the schema, so that an estimate can go on to the rounds that read them."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Final

from genre.parts import Json, MalformedOutput, Prompt, Prompter, canonical_json

ASSUMPTION: Final = "texts half as long and lists as long as their schema allows"
"""What is assumed of answers that are not made yet, in words."""

_FILLER: Final = "words "
_LENGTH: Final = 100
"""Characters of a text that may have any number of them."""
_ITEMS: Final = 3
"""Items of a list that may have any number of them."""


def imagined_answer(prompt: Prompt, prompter: Prompter) -> str | None:
    """An answer that the prompter can read; None where none can be made up from the schema."""
    schema = prompt.schema or prompter.schema
    mark = hashlib.blake2b(f"{prompt.subject}\0{prompt.draw}".encode(), digest_size=4).hexdigest()
    text = canonical_json(_value(schema, 0, mark))
    try:
        prompter.parse(prompt, text)
    except MalformedOutput:
        return None
    return text


def _value(schema: "Json | Mapping[str, Json]", number: int, mark: str) -> Json:
    """A value that meets the usual keywords of a schema.

    Args:
        number: its place in a list, so that the items of a list differ.
        mark: begins texts, so that those of two subjects differ.
    """
    if not isinstance(schema, Mapping):
        return None
    if "const" in schema:
        return schema["const"]
    if isinstance(values := schema.get("enum"), list) and values:
        return values[number % len(values)]
    if isinstance(options := schema.get("anyOf", schema.get("oneOf")), list) and options:
        return _value(options[0], number, mark)
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "null")
    make = _MAKERS.get(kind) if isinstance(kind, str) else None
    return None if make is None else make(schema, number, mark)


def _object(schema: Mapping[str, Json], _: int, mark: str) -> Json:
    properties = schema.get("properties")
    return {name: _value(each, 0, mark) for name, each in properties.items()} if isinstance(properties, Mapping) else {}


def _array(schema: Mapping[str, Json], _: int, mark: str) -> Json:
    return [_value(schema.get("items", {}), place, mark) for place in range(_items(schema))]


def _number(schema: Mapping[str, Json], number: int, _: str) -> Json:
    return _bound(schema, "minimum", 0) + number


def _text(schema: Mapping[str, Json], number: int, mark: str) -> Json:
    least, most = _bound(schema, "minLength", 1), _bound(schema, "maxLength", 2 * _LENGTH)
    length = max(least, most // 2)
    text = f"{mark}{number or ''} " + _FILLER * (length // len(_FILLER) + 1)
    return text[:length].rstrip().ljust(least, ".")


def _items(schema: Mapping[str, Json]) -> int:
    least = _bound(schema, "minItems", 0)
    most = _bound(schema, "maxItems", max(least, _ITEMS))
    items = schema.get("items")
    if isinstance(items, Mapping):  # more than there are different values would repeat some
        if isinstance(values := items.get("enum"), list):
            most = min(most, len(values))
        if "maximum" in items:
            most = min(most, _bound(items, "maximum", 0) - _bound(items, "minimum", 0) + 1)
    return max(least, most)


def _bound(schema: Mapping[str, Json], name: str, default: int) -> int:
    value = schema.get(name, default)
    return int(value) if isinstance(value, int | float) else default


_MAKERS: Final[Mapping[str, Callable[[Mapping[str, Json], int, str], Json]]] = {
    "object": _object,
    "array": _array,
    "integer": _number,
    "number": _number,
    "string": _text,
    "boolean": lambda *_: False,
}
