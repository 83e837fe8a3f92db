"""Whatever a model says is either a record that meets the schema or a typed refusal."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genre.generation.answers import MAX_ANSWER_BYTES, parse_answer
from genre.parts import Json, MalformedOutput

SCHEMA: dict[str, Json] = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "minLength": 1, "maxLength": 20},
        "topics": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
    },
    "required": ["title"],
    "additionalProperties": False,
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@given(st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape")) | json_values.map(json.dumps))
def test_any_text_is_a_record_or_a_typed_refusal(text: str) -> None:
    with suppress(MalformedOutput):
        record = parse_answer(text, SCHEMA)
        assert isinstance(record["title"], str)
        assert set(record) <= {"title", "topics"}


@given(title=st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=20))
def test_a_good_answer_comes_back_as_it_was_said(title: str) -> None:
    assert parse_answer(json.dumps({"title": title}), SCHEMA) == {"title": title}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("Sure! Here is the title", "not JSON"),
        ('{"title": "a"', "not JSON"),
        ('{"title": NaN}', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('["title"]', "schema: type"),
        ("{}", "schema: required"),
        ('{"title": ""}', "schema: minLength of title"),
        ('{"title": "%s"}' % ("x" * 21), "schema: maxLength of title"),
        ('{"title": "a", "topics": ["x", 1]}', "schema: type of topics/1"),
        ('{"title": "a", "note": "b"}', "schema: additionalProperties"),
        (r'{"title": "\ud800"}', "unpaired surrogate"),
        ('{"title": ' + "[" * 700 + "]" * 700 + "}", "nested too deep"),
        ('{"title": 1%s}' % ("0" * 30), "a number beyond 64 bits"),
        (" " * (MAX_ANSWER_BYTES + 1), "longer than a megabyte"),
    ],
)
def test_each_kind_of_defect_has_one_countable_reason(text: str, reason: str) -> None:
    with pytest.raises(MalformedOutput) as caught:
        parse_answer(text, SCHEMA)
    assert caught.value.reason == reason


def test_blank_space_in_texts_is_folded() -> None:
    assert parse_answer('{"title": "  a \\n b\\u0000c "}', SCHEMA) == {"title": "a b c"}
