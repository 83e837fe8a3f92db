"""Answers' schemas as providers' strict modes take them."""

from collections.abc import Mapping
from typing import Final

from genre.parts import Json

NOT_STRICT: Final = frozenset({"minLength", "maxLength", "uniqueItems"})
"""JSON-schema keywords that providers' strict modes refuse; the answer's parser checks them anyway."""


def strict_subset(schema: Mapping[str, Json]) -> dict[str, Json]:
    """The schema without the keywords that strict modes refuse."""
    kept: dict[str, Json] = {}
    for keyword, value in schema.items():
        if keyword in NOT_STRICT:
            continue
        if keyword == "properties" and isinstance(value, dict):
            kept[keyword] = {name: _inner(inner) for name, inner in value.items()}
        else:
            kept[keyword] = _inner(value)
    return kept


def _inner(value: Json) -> Json:
    return strict_subset(value) if isinstance(value, dict) else value
