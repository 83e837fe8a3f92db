"""Answers made from a schema: the example that a prompt's own schema describes."""

from collections.abc import Callable, Mapping

from genre.errors import UsageError
from genre.generation.schemas import schema_problem
from genre.parts import Json, Prompt, canonical_json


def example_answer(prompt: Prompt) -> str:
    """A small answer to the prompt: JSON that meets its schema, or a line of text. Differs by subject and draw.

    Raises:
        UsageError: the schema asks for something that cannot be made up here, such as a text of some pattern.
    """
    salt = " ".join(f"about {prompt.subject}, {prompt.draw}".split())
    if prompt.schema is None:
        return f"A text {salt}"
    value = example(dict(prompt.schema), salt)
    problem = schema_problem(value, prompt.schema)
    if problem is not None:
        raise UsageError(
            f"no example meets the schema: {problem}",
            remedy="give `checks` an input answer=..., a function from a prompt to the text of an answer",
        )
    return canonical_json(value)


def example(schema: Json, salt: str = "", index: int = 0) -> Json:
    """A value that meets the schema, as far as its types, bounds, `enum` and `const` go.

    Args:
        schema: a JSON schema.
        salt: what texts say, so that answers differ.
        index: number of the value among those of one array, which differ by it.
    """
    if not isinstance(schema, dict):
        return f"{index} {salt}".strip()
    if "const" in schema:
        return schema["const"]
    if isinstance(choices := schema.get("enum"), list) and choices:
        return choices[index % len(choices)]
    makers: dict[str, Callable[[], Json]] = {
        "object": lambda: _object(schema, salt, index),
        "array": lambda: _array(schema, salt),
        "integer": lambda: _quantity(schema, index, whole=True),
        "number": lambda: _quantity(schema, index, whole=False),
        "boolean": lambda: index % 2 == 1,
        "null": lambda: None,
    }
    text = f"{index} {salt}" if index else salt
    return makers.get(_kind(schema), lambda: _text(schema, text))()


def _object(schema: Mapping[str, Json], salt: str, index: int) -> Json:
    properties = schema.get("properties")
    members = properties if isinstance(properties, dict) else {}
    return {name: example(member, f"{name} {salt}".strip(), index) for name, member in members.items()}


def _array(schema: Mapping[str, Json], salt: str) -> Json:
    """As few items as there may be, but one where that is allowed."""
    count = min(max(1, _number(schema, "minItems", 0)), _number(schema, "maxItems", float("inf")))
    return [example(schema.get("items", {}), salt, number) for number in range(int(count))]


def _kind(schema: Mapping[str, Json]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "null")
    if isinstance(kind, str):
        return kind
    return "object" if "properties" in schema else "array" if "items" in schema else "string"


def _text(schema: Mapping[str, Json], wanted: str) -> str:
    text = wanted[: int(_number(schema, "maxLength", len(wanted)))].strip()
    return text.ljust(int(_number(schema, "minLength", 1)), "x")


def _quantity(schema: Mapping[str, Json], index: int, *, whole: bool) -> int | float:
    step = _number(schema, "multipleOf", 1)
    low = _number(schema, "minimum", float("-inf"))
    above = _number(schema, "exclusiveMinimum", float("-inf"))
    high = min(_number(schema, "maximum", float("inf")), _number(schema, "exclusiveMaximum", float("inf")))
    start = max(low, above)
    if start == float("-inf"):
        start = 0 if high >= step else high - step
    if not whole and "multipleOf" not in schema:
        # Between two bounds, since either may be exclusive.
        return start + (high - start) / (index + 2) if high < float("inf") else start + 1 + index
    first = -(-start // step) * step
    first = first if first > above else first + step
    value = first + index * step
    value = value if value <= high else first  # items need not differ where there are too few numbers
    return int(value) if whole else value


def _number(schema: Mapping[str, Json], keyword: str, default: float) -> float:
    value = schema.get(keyword)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else default
