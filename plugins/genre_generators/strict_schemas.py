"""Answers' schemas as providers' strict modes take them."""

from typing import Final

from genre.parts import Json

NOT_STRICT: Final = frozenset({"minLength", "maxLength", "uniqueItems"})
"""JSON-schema keywords that providers' strict modes refuse; the answer's parser checks them anyway."""


def strict_subset(schema: Json) -> Json:
    """The schema without the keywords that strict modes refuse."""
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, Json] = {}
    for keyword, value in schema.items():
        if keyword in NOT_STRICT:
            continue
        if keyword == "properties" and isinstance(value, dict):
            kept[keyword] = {name: strict_subset(inner) for name, inner in value.items()}
        else:
            kept[keyword] = strict_subset(value)
    return kept
