"""Values that meet a JSON schema, as far as its types, bounds, `enum`, `const` and first alternatives go."""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeGuard

from genre.parts import Json


class Filling(Protocol):
    """Decides what a schema leaves open: what texts say, and how long they and lists are."""

    def text(self, path: str, number: int, least: int, most: int | None) -> str:
        """A text of at least `least` and at most `most` characters.

        Args:
            path: names of the properties that it stands in, the innermost first.
            number: its number among the items of one list, which differ by it.
        """
        ...

    def items(self, least: int, most: int | None) -> int:
        """The length of a list that has at least `least` and at most `most` items."""
        ...


def value_of(schema: Json, filling: Filling, path: str = "", number: int = 0) -> Json:
    """A value that meets the schema, unless it asks for something else than types and bounds, such as a pattern.

    Args:
        schema: a JSON schema; whatever is no object allows everything.
        path: as in `Filling.text`.
        number: as in `Filling.text`.
    """
    if not isinstance(schema, Mapping):
        return filling.text(path, number, 1, None)
    if "const" in schema:
        return schema["const"]
    if isinstance(choices := schema.get("enum"), list) and choices:
        return choices[number % len(choices)]
    if isinstance(options := schema.get("anyOf", schema.get("oneOf")), list) and options:
        return value_of(options[0], filling, path, number)
    makers: dict[str, Callable[[], Json]] = {
        "object": lambda: _object(schema, filling, path, number),
        "array": lambda: _array(schema, filling, path),
        "integer": lambda: _quantity(schema, number, whole=True),
        "number": lambda: _quantity(schema, number, whole=False),
        "boolean": lambda: number % 2 == 1,
        "null": lambda: None,
    }
    return makers.get(_kind(schema), lambda: _text(schema, filling, path, number))()


def _kind(schema: Mapping[str, Json]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "null")
    if isinstance(kind, str):
        return kind
    return "object" if "properties" in schema else "array" if "items" in schema else "string"


def _object(schema: Mapping[str, Json], filling: Filling, path: str, number: int) -> Json:
    properties = schema.get("properties")
    members = properties if isinstance(properties, Mapping) else {}
    return {name: value_of(member, filling, f"{name} {path}".strip(), number) for name, member in members.items()}


def _array(schema: Mapping[str, Json], filling: Filling, path: str) -> Json:
    items = schema.get("items", {})
    least, most = _count(schema, "minItems") or 0, _count(schema, "maxItems")
    different = _different(items)
    if different is not None:  # more than there are different values would repeat some
        most = max(least, different if most is None else min(most, different))
    return [value_of(items, filling, path, number) for number in range(filling.items(least, most))]


def _different(items: Json) -> int | None:
    """How many different items there can be; None where nothing says so."""
    if not isinstance(items, Mapping):
        return None
    if isinstance(values := items.get("enum"), list):
        return len(values)
    low, high = _count(items, "minimum"), _count(items, "maximum")
    return None if _kind(items) != "integer" or high is None else high - (low or 0) + 1


def _text(schema: Mapping[str, Json], filling: Filling, path: str, number: int) -> str:
    least = _count(schema, "minLength")
    return filling.text(path, number, 1 if least is None else least, _count(schema, "maxLength"))


def _quantity(schema: Mapping[str, Json], number: int, *, whole: bool) -> int | float:
    step = _number(schema, "multipleOf", 1)
    low = _number(schema, "minimum", float("-inf"))
    above = _number(schema, "exclusiveMinimum", float("-inf"))
    high = min(_number(schema, "maximum", float("inf")), _number(schema, "exclusiveMaximum", float("inf")))
    start = max(low, above)
    if start == float("-inf"):
        start = 0 if high >= step else high - step
    if not whole and "multipleOf" not in schema:
        # Between two bounds, since either may be exclusive.
        return start + (high - start) / (number + 2) if high < float("inf") else start + 1 + number
    first = -(-start // step) * step
    first = first if first > above else first + step
    value = first + number * step
    value = value if value <= high else first  # items need not differ where there are too few numbers
    return int(value) if whole else value


def _count(schema: Mapping[str, Json], keyword: str) -> int | None:
    value = schema.get(keyword)
    return int(value) if _is_number(value) else None


def _number(schema: Mapping[str, Json], keyword: str, default: float) -> float:
    value = schema.get(keyword)
    return value if _is_number(value) else default


def _is_number(value: Json) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
