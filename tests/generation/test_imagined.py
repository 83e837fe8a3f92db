"""Answers that are made up meet the schema they are made up from."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genre.generation import parse_answer
from genre.generation.imagined import imagined_answer
from genre.parts import Json, Prompt, Record, Sampling

VALUES: dict[str, tuple[Json, Json]] = {
    "a long text is half as long as it may be": ({"type": "string", "maxLength": 120}, 60),
    "a text has its least length": ({"type": "string", "minLength": 50, "maxLength": 60}, 50),
    "a text without bounds": ({"type": "string"}, 100),
    "a short text": ({"type": "string", "minLength": 1, "maxLength": 3}, 1),
}
OTHERS: dict[str, tuple[Json, Json]] = {
    "one of few values": ({"type": "string", "enum": ["a", "b"]}, "a"),
    "a constant": ({"const": 7}, 7),
    "as many of few values as there are": (
        {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 5, "uniqueItems": True},
        ["a", "b"],
    ),
    "whole numbers that differ": (
        {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 3}, "maxItems": 5},
        [1, 2, 3],
    ),
    "a flag": ({"type": "boolean"}, False),
    "the first of several kinds that says something": ({"type": ["null", "integer"], "minimum": 4}, 4),
    "one of several schemas": ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, 0),
    "nothing": ({"type": "null"}, None),
}


def prompt(value: Json, subject: str = "N1") -> Prompt:
    schema: dict[str, Json] = {"type": "object", "properties": {"value": value}, "required": ["value"]}
    return Prompt("t", subject, 0, (), Sampling(max_tokens=1), schema)


class Strict:
    """A prompter that reads what meets the schema."""

    schema: dict[str, Json] = {"type": "object", "properties": {}}  # noqa: RUF012  a contract's property

    def prompts(self, dataset: object) -> object:
        raise NotImplementedError

    def parse(self, prompt: Prompt, text: str) -> Record:
        assert prompt.schema is not None
        return parse_answer(text, prompt.schema)


def imagined(value: Json, subject: str = "N1") -> Json:
    text = imagined_answer(prompt(value, subject), Strict())  # type: ignore[arg-type]
    assert text is not None
    found: Json = json.loads(text)["value"]
    return found


@pytest.mark.parametrize("case", VALUES)
def test_texts_have_a_usual_length(case: str) -> None:
    schema, length = VALUES[case]
    assert len(str(imagined(schema))) in (length, int(str(length)) - 1)  # never a blank at the end


@pytest.mark.parametrize("case", OTHERS)
def test_other_values_meet_their_schema(case: str) -> None:
    schema, value = OTHERS[case]
    assert imagined(schema) == value


def test_texts_of_two_subjects_differ_and_those_of_one_are_the_same() -> None:
    schema: Json = {"type": "string", "maxLength": 40}
    assert imagined(schema, "N1") == imagined(schema, "N1") != imagined(schema, "N2")


def test_what_cannot_be_made_up_is_none() -> None:
    assert imagined_answer(prompt({"type": "string", "pattern": "^[0-9]+x$"}), Strict()) is None  # type: ignore[arg-type]


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 8), st.integers(0, 8))
def test_bounds_of_texts_and_lists_are_kept(least: int, more: int, few: int, many: int) -> None:
    text: Json = {"type": "string", "minLength": least, "maxLength": least + more + 1}
    assert isinstance(imagined({"type": "array", "items": text, "minItems": few, "maxItems": few + many}), list)
