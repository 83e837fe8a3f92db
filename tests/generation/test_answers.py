"""Whatever a model says is either a record that meets the schema or a typed refusal."""

import functools
import json
from collections.abc import Mapping
from contextlib import suppress

import jsonschema
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_data import small_dataset

from genre.generation import RoundSpec, prepare_round
from genre.generation.answers import MAX_ANSWER_CHARACTERS, column_value, parse_answer, record_columns
from genre.generation.engine import Answered
from genre.generation.judging import Judgement, judge
from genre.generation.repair import repaired_json
from genre.generation.store import StoredAnswer
from genre.parts import Completion, Json, MalformedOutput, Prompt, Prompter, Record
from genre.registry import Registry
from genre.testing.examples import example_answer

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


def almost(text: str) -> st.SearchStrategy[str]:
    """The text in the dress that models give it, and damaged."""
    dressed = st.sampled_from(
        ["{}", "```json\n{}\n```", "Sure: {} Bye", "{},", "<think>{{</think>{}", "{0}{0}", "[{}]"]
    )
    wrong = st.sampled_from(["", '"', "'", ",", "\n", "{", "}", "]", "\\", ":", "NaN", "\ud800"])
    places = st.lists(st.tuples(st.integers(0, len(text)), wrong), max_size=3)
    return st.tuples(dressed, places).map(lambda drawn: drawn[0].format(_damaged(text, drawn[1])))


def _damaged(text: str, places: list[tuple[int, str]]) -> str:
    for at, wrong in places:
        text = text[:at] + wrong + text[at + 1 :]
    return text


def answered(prompt: Prompt, text: str) -> Answered:
    answer = StoredAnswer(b"k", "ok", Completion(text, "m"), prompt.task, prompt.subject, 0, "g", "e", "t")
    return Answered(prompt, answer, reused=False)


any_text = (
    st.text()
    | st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape"))
    | json_values.map(json.dumps)
    | json_values.map(repr)
)

TASKS = {
    "news-summarizer": {},
    "user-profiler": {},
    "news-generator": {},
    "history-compressor": {"select": 1},
    "book-describer": {},
    "book-profiler": {},
    "book-generator": {},
}


@functools.cache
def asked(task: str) -> tuple[Prompter, Prompt]:
    prepared = prepare_round(Registry.load(), RoundSpec(task, options=TASKS[task]))
    return prepared.prompter, next(prepared.prompter.prompts(small_dataset()))


@given(any_text)
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
        (" " * (MAX_ANSWER_CHARACTERS + 1), "longer than a million characters"),
    ],
)
def test_each_kind_of_defect_has_one_countable_reason(text: str, reason: str) -> None:
    with pytest.raises(MalformedOutput) as caught:
        parse_answer(text, SCHEMA)
    assert caught.value.reason == reason


def test_blank_space_in_texts_is_folded_wherever_they_stand() -> None:
    assert parse_answer('{"title": "  a \\n b\\u0000c "}', SCHEMA) == {"title": "a b c"}
    nested = '{"a": [" x  y ", {"b": "z ", "c": [true, null, 1.5]}]}'
    assert parse_answer(nested, {}) == {"a": ["x y", {"b": "z", "c": [True, None, 1.5]}]}


def test_an_answer_of_a_megabyte_is_read() -> None:
    assert parse_answer('{"title": "a"}'.ljust(MAX_ANSWER_CHARACTERS), SCHEMA) == {"title": "a"}


def test_what_meets_a_schema_that_asks_for_no_object_is_refused_all_the_same() -> None:
    with pytest.raises(MalformedOutput) as caught:
        parse_answer("[1]", {})
    assert caught.value.reason == "not a JSON object"


def test_a_name_that_cannot_be_encoded_is_refused() -> None:
    with pytest.raises(MalformedOutput) as caught:
        parse_answer(r'{"more": {"\udfff": 1}}', {})
    assert caught.value.reason == "unpaired surrogate"


@pytest.mark.parametrize("task", TASKS)
@given(data=st.data())
def test_any_text_to_a_built_in_task_is_a_record_that_meets_the_schema_or_a_reason(
    task: str, data: st.DataObject
) -> None:
    prompter, prompt = asked(task)
    text = data.draw(any_text | almost(example_answer(prompt)))
    judgement = judge(answered(prompt, text), prompter, {})
    assert (judgement.record is None) == (judgement.reason is not None)
    if judgement.record is not None:
        jsonschema.validate(judgement.record, schema_of_records(prompter, prompt))


def schema_of_records(prompter: Prompter, prompt: Prompt) -> Mapping[str, Json]:
    """Records of the history compressor count backwards, which only the prompter's own schema allows."""
    return prompter.schema if prompt.task == "history-compressor" else prompt.schema or prompter.schema


@pytest.mark.parametrize("task", TASKS)
@given(data=st.data())
def test_what_json_accepts_comes_to_the_same_with_and_without_repair(task: str, data: st.DataObject) -> None:
    prompter, prompt = asked(task)
    text = data.draw(any_text | almost(example_answer(prompt)))
    strict = judge(answered(prompt, text), prompter, {}, repair=False)
    repairing = judge(answered(prompt, text), prompter, {})
    if is_json(text) or strict.record is not None:
        assert repairing == strict
    assert not strict.repaired


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


@pytest.mark.parametrize("task", TASKS)
def test_an_answer_between_fences_is_a_record_of_every_built_in_task(task: str) -> None:
    prompter, prompt = asked(task)
    plain = judge(answered(prompt, example_answer(prompt)), prompter, {})
    fenced = judge(answered(prompt, f"```json\n{example_answer(prompt)[:-1]},}}\n```"), prompter, {})
    assert plain.record is not None
    assert fenced == Judgement(plain.record, repaired=True)


class FreeText:
    """A prompter of somebody else, whose answers are no JSON."""

    schema: Mapping[str, Json] = {"type": "object", "properties": {"text": {"type": "string"}}}

    def parse(self, prompt: Prompt, text: str) -> dict[str, Json]:
        if "`" in text:
            raise MalformedOutput("code")
        return {"text": text}


def test_free_text_is_not_repaired() -> None:
    import attrs

    _, prompt = asked("news-summarizer")
    text = "```json\n{'a': 1}\n```"
    assert repaired_json(text) is not None
    judgement = judge(answered(attrs.evolve(prompt, schema=None), text), FreeText(), {})  # type: ignore[arg-type]
    assert judgement.reason == "malformed: code"


@pytest.mark.parametrize("number", ["1e30", "-1e30", "1e999", "9223372036854775808"])
@pytest.mark.parametrize("place", ['{{"count": {}}}', '{{"more": {{"deep": [{}]}}}}'])
def test_a_number_that_no_table_holds_is_refused_however_it_is_written(number: str, place: str) -> None:
    schema: dict[str, Json] = {"type": "object", "properties": {"count": {"type": "integer"}, "more": {}}}
    with pytest.raises(MalformedOutput, match="beyond 64 bits"):
        parse_answer(place.format(number), schema)


@pytest.mark.parametrize("number", [-(2**63), 2**63 - 1])
def test_the_smallest_and_the_largest_number_of_64_bits_are_kept(number: int) -> None:
    assert parse_answer(json.dumps({"count": number}), {}) == {"count": number}


@pytest.mark.parametrize(
    ("definition", "column"),
    [
        ({"type": "string"}, pl.String),
        ({"type": "integer"}, pl.Int64),
        ({"type": "number"}, pl.Float64),
        ({"type": "boolean"}, pl.Boolean),
        ({"type": "null"}, pl.String),
        ({"type": ["integer", "null"]}, pl.String),
        ({"type": "object", "items": {"type": "string"}}, pl.String),
        ({"type": "string", "items": {"type": "string"}}, pl.String),
        ({"type": "array"}, pl.String),
        ({"type": "array", "items": True}, pl.String),
        ({"type": "array", "items": {"type": "integer"}}, pl.String),
        ({"items": {"type": "string"}}, pl.String),
        ({}, pl.String),
        (True, pl.String),
    ],
)
def test_a_column_is_of_the_type_that_the_schema_promises_and_else_a_text(
    definition: Json, column: type[pl.DataType]
) -> None:
    assert record_columns({"properties": {"a": definition}}) == {"a": column}


@pytest.mark.parametrize(
    ("value", "column", "held"),
    [
        ({"b": 1, "a": [2]}, pl.String, '{"a":[2],"b":1}'),
        (1, pl.String, "1"),
        ("one", pl.String, "one"),
        (None, pl.String, None),
        (1, pl.Int64, 1),
        (["one"], pl.List(pl.String), ["one"]),
    ],
)
def test_what_is_no_text_is_held_as_json_by_a_column_of_texts(
    value: Json, column: pl.DataType | type[pl.DataType], held: Json
) -> None:
    assert column_value(value, column) == held


def test_a_list_whose_first_members_are_no_texts_is_kept_as_json() -> None:
    texts: dict[str, Json] = {"type": "array", "items": {"type": "string"}}
    columns = record_columns({"properties": {"a": texts, "b": {**texts, "prefixItems": [{"type": "integer"}]}}})
    assert columns == {"a": pl.List(pl.String), "b": pl.String}


def test_the_reason_of_a_defect_can_be_stored_whatever_a_parser_quotes() -> None:
    prompter, prompt = asked("news-summarizer")

    class Quoting:
        schema = prompter.schema

        def parse(self, prompt: Prompt, text: str) -> Record:
            raise MalformedOutput("no genre: \ud83d")

        prompts = prompter.prompts

    judgement = judge(answered(prompt, "x"), Quoting(), {})
    assert judgement.reason == "malformed: no genre: \\ud83d"
    assert judgement.detail == "no genre: \\ud83d"
