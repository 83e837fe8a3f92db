"""Example answers meet their schemas; hostile texts repeat."""

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genre.errors import UsageError
from genre.parts import Json, Prompt, Sampling
from genre.testing.examples import example, example_answer
from genre.testing.hostile import HOSTILE_TEXTS, junk, mutations

small = st.integers(0, 6)


def text_schema(least: int, more: int) -> Json:
    return {"type": "string", "minLength": least, "maxLength": least + more}


def array_schema(items: Json, least: int, more: int) -> Json:
    return {"type": "array", "items": items, "minItems": least, "maxItems": least + more}


def integer_schema(least: int, more: int, step: int) -> Json:
    return {"type": "integer", "minimum": least, "maximum": least + more * step + step, "multipleOf": step}


def number_schema(least: float, more: float) -> Json:
    return {"type": "number", "exclusiveMinimum": least, "exclusiveMaximum": least + more}


def object_schema(properties: dict[str, Json]) -> Json:
    required: list[Json] = list(properties)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


leaves = st.one_of(
    st.builds(text_schema, small, small),
    st.builds(integer_schema, st.integers(-9, 9), small, st.integers(1, 4)),
    st.builds(number_schema, st.floats(-9, 9), st.floats(0.5, 9)),
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"const": "only"}, {"enum": ["b", 1, None]}]),
    st.sampled_from([{"type": ["null", "string"]}, {"type": "number", "maximum": -3}, {"type": "integer"}, True]),
)
schemas = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(array_schema, inner, small, small),
        st.builds(object_schema, st.dictionaries(st.text(max_size=5), inner, max_size=4)),
    ),
    max_leaves=6,
)


@given(schemas)
def test_an_example_meets_its_schema(schema: Json) -> None:
    jsonschema.validate(example(schema, "about N1"), schema)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "items", [{"type": "string", "maxLength": 3}, {"enum": [1, 2, 3]}, {"type": "integer"}, {"type": "number"}]
)
def test_items_that_must_differ_do(items: Json) -> None:
    schema: Json = {"type": "array", "items": items, "minItems": 3, "uniqueItems": True}
    jsonschema.validate(example(schema, "about N1"), schema)  # type: ignore[arg-type]


def prompt(subject: str, schema: dict[str, Json] | None) -> Prompt:
    return Prompt("t", subject, 0, (), Sampling(max_tokens=1), schema)


def test_examples_of_two_subjects_differ() -> None:
    schema: dict[str, Json] = {"type": "object", "properties": {"title": {"type": "string"}}}
    answers = [example_answer(prompt(subject, schema)) for subject in ("N1", "N2")]
    assert answers[0] != answers[1]
    assert json.loads(answers[0])["title"]


def test_an_example_without_a_schema_is_a_text() -> None:
    assert example_answer(prompt("N1", None)) == "A text about N1, 0"


def test_a_schema_that_no_example_meets_is_told() -> None:
    schema: dict[str, Json] = {"type": "object", "properties": {"code": {"type": "string", "pattern": "^[0-9]+$"}}}
    with pytest.raises(UsageError, match="pattern of code"):
        example_answer(prompt("N1", schema))


def test_junk_and_mutations_repeat() -> None:
    assert list(junk(3, 50)) == list(junk(3, 50)) != list(junk(4, 50))
    assert list(mutations('{"a": [1]}', 3, 50)) == list(mutations('{"a": [1]}', 3, 50))


def test_a_text_that_is_no_object_is_mutated_too() -> None:
    for answer in ("", "plain text", "[1]", "{}"):
        assert len(list(mutations(answer, 0, 100))) == 100


def test_hostile_texts_differ() -> None:
    assert len(set(HOSTILE_TEXTS)) == len(HOSTILE_TEXTS)
