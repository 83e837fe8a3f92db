"""Answers' schemas: what meets one, what does not and where, as the reference implementation says."""

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genre.generation.answers import parse_answer
from genre.generation.schemas import schema_problem, wrong_schema
from genre.parts import Json, MalformedOutput, canonical_json

SCHEMA: dict[str, Json] = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "minLength": 1, "maxLength": 5},
        "topics": {
            "type": "array",
            "items": {"type": "string", "enum": ["sports", "finance"]},
            "maxItems": 2,
            "uniqueItems": True,
        },
        "score": {"type": "number", "minimum": 0},
        "count": {"type": "integer"},
    },
    "required": ["title"],
    "additionalProperties": False,
}

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=7)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3), max_leaves=5)
topics = st.lists(st.sampled_from(["sports", "finance", "other", 1]), max_size=3)
answers = st.dictionaries(st.sampled_from([*SCHEMA["properties"], "other"]), values | topics, max_size=5) | values  # type: ignore[misc]


@given(answers)
def test_a_value_meets_the_schema_exactly_when_the_reference_says_so(value: Json) -> None:
    reference = jsonschema.Draft202012Validator(SCHEMA)
    problem = schema_problem(value, SCHEMA)
    assert (problem is None) == reference.is_valid(value)
    if problem is not None:
        places = (
            (str(error.validator), "/".join(map(str, error.absolute_path))) for error in reference.iter_errors(value)
        )
        assert problem in [f"{keyword} of {place}" if place else keyword for keyword, place in places]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"title": "short"}, None),
        ({"title": "much longer"}, "maxLength of title"),
        ({"title": "x", "topics": ["sports", "weather"]}, "enum of topics/1"),
        ({}, "required"),
        ({"title": "x", "other": 1}, "additionalProperties"),
        ([], "type"),
    ],
)
def test_a_problem_names_the_keyword_and_the_place(value: Json, problem: str | None) -> None:
    assert schema_problem(value, SCHEMA) == problem


def test_a_schema_that_is_changed_for_another_object_is_looked_up_anew() -> None:
    assert schema_problem({"title": "x"}, SCHEMA) is None
    assert schema_problem({"title": "x"}, {**SCHEMA, "required": ["count"]}) == "required"


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "objekt"}, "objekt"),
        ({"type": "object", "properties": 3}, "3 is not of type"),
        ({"properties": {"a": {"$ref": "#/$defs/missing"}}}, "/$defs/missing"),
        ({"properties": {"a": {"$ref": "http://127.0.0.1:9/schema"}}}, "may not refer to http://127.0.0.1:9/schema"),
        ({"properties": {"a": {"pattern": "("}}}, "("),
        ({"const": "\ud800"}, "UTF-8"),
    ],
)
def test_a_wrong_schema_is_told(schema: dict[str, Json], said: str) -> None:
    assert wrong_schema(SCHEMA) is None
    assert said in str(wrong_schema(schema))


def test_nothing_is_fetched_because_a_schema_refers_to_it() -> None:
    with pytest.raises(ValueError, match=r"may not refer to http://127\.0\.0\.1:9/schema"):
        schema_problem({}, {"$ref": "http://127.0.0.1:9/schema"})
    assert wrong_schema({**SCHEMA, "$schema": "http://127.0.0.1:9/dialect"}) is None


@pytest.mark.parametrize("depth", [100, 300, 500, 900, 5_000])
def test_an_answer_of_any_depth_is_a_record_or_refused(depth: int) -> None:
    schema: dict[str, Json] = {"type": "object", "properties": {"a": {}}, "required": ["a"]}
    text = '{"a": ' + "[" * depth + "]" * depth + "}"
    try:
        record = parse_answer(text, schema)
    except MalformedOutput:
        return  # too deep for the parser: told, not raised as anything else
    assert canonical_json(record) == text.replace(" ", "")
