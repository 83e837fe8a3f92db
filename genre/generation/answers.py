"""From a model's raw text to a record: strict JSON that meets the prompt's schema, or `MalformedOutput`."""

import json
from collections.abc import Mapping
from typing import Final, NoReturn

import polars as pl

from genre.generation.schemas import schema_problem
from genre.parts import Json, MalformedOutput, Record, canonical_json

MAX_ANSWER_CHARACTERS = 1 << 20
"""A longer answer is refused unread: no task asks for a million characters."""
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1


def parse_answer(text: str, schema: Mapping[str, Json]) -> Record:
    """Read a JSON answer that must meet `schema`; strings lose surrounding and repeated blank space.

    Raises:
        MalformedOutput: not JSON, not what the schema says, or not encodable text.
    """
    if len(text) > MAX_ANSWER_CHARACTERS:
        raise MalformedOutput("longer than a million characters")
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise MalformedOutput("not JSON") from error
    try:
        value = _tidy(value)
        problem = schema_problem(value, schema)
    except RecursionError as error:
        raise MalformedOutput("nested too deep") from error
    if problem is not None:
        raise MalformedOutput(f"schema: {problem}")
    if not isinstance(value, dict):
        raise MalformedOutput("not a JSON object")
    return value


def record_columns(schema: Mapping[str, Json]) -> dict[str, pl.DataType | type[pl.DataType]]:
    """Columns for the properties of an answer: text, numbers, flags, and lists of texts; anything else as JSON text."""
    properties = schema.get("properties")
    assert isinstance(properties, dict)
    return {name: _column(definition) for name, definition in properties.items()}


def column_value(value: Json, column: pl.DataType | type[pl.DataType]) -> Json:
    """The value as its column holds it."""
    return canonical_json(value) if column == pl.String and not isinstance(value, str | None) else value


def _column(definition: Json) -> pl.DataType | type[pl.DataType]:
    scalars: dict[Json, type[pl.DataType]] = {"integer": pl.Int64, "number": pl.Float64, "boolean": pl.Boolean}
    if not isinstance(definition, dict):
        return pl.String
    kind = definition.get("type")
    items = definition.get("items")
    only_items = kind == "array" and "prefixItems" not in definition
    if only_items and isinstance(items, dict) and items.get("type") == "string":
        return pl.List(pl.String)
    return scalars.get(kind, pl.String) if isinstance(kind, str) else pl.String


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)


def _tidy(value: Json) -> Json:
    """Blank space folded in every string; what no table can hold (unpaired surrogates, huge numbers) is refused."""
    if isinstance(value, str):
        return " ".join(_encodable(value).replace("\0", " ").split())
    if isinstance(value, int | float) and not _SMALLEST <= value <= _LARGEST:  # 1e30 may be an integer, too
        raise MalformedOutput("a number beyond 64 bits")
    if isinstance(value, list):
        return [_tidy(item) for item in value]
    if isinstance(value, dict):
        return {_encodable(name): _tidy(item) for name, item in value.items()}
    return value


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise MalformedOutput("unpaired surrogate") from error
    return text
