"""Repair reads what a model meant where only its syntax is wrong, and says nothing where more would be guessed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genre.generation.answers import MAX_ANSWER_CHARACTERS
from genre.generation.repair import DEEPEST, LONGEST, repaired_json

JsonObject = dict[str, object]


def read(text: str) -> object:
    repaired = repaired_json(text)
    return None if repaired is None else json.loads(repaired)


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"title": "a", "topics": ["x", "y"]}\n```',
        'Sure! Here is the JSON object: {"title": "a", "topics": ["x", "y"]} I hope this helps.',
        '{"title": "a", "topics": ["x", "y",],}',
        "{'title': 'a', 'topics': ['x', 'y']}",
        '{title: "a", topics: ["x", "y"]}',
        '{"title": "a" "topics": ["x" "y"]}',
        "{“title”: “a”, “topics”: [“x”, “y”]}",
        '```\n{\n  "title": "a",\n  "topics": ["x", "y"],\n}\n```\nLet me know!',
        '{"title": "a", "topics": ["x", "y"]}}',
        '{"title": "a", "topics": ["x", "y"]}\n\n{"title": "a", "topics": ["x", "y"]}',
        '{"title": "a", "topics": ["x", "y"]}\n\nThe properties are:\n- "title": "a"\n- "topics": ["x", "y"]',
        '<think>\nMaybe {"title": "draft"}?\n</think>\n{"title": "a", "topics": ["x", "y"]}',
        "\n<think>Maybe {'title': 'draft'}?</think> {'title': 'a', 'topics': ['x', 'y']}",
        "The answer is {'title': 'a', 'topics': ['x', 'y']}.",
        'Once {"title": "a", "topics": ["x", "y"]} and twice {"title": "a", "topics": ["x", "y"]}',
    ],
)
def test_syntax_is_repaired(text: str) -> None:
    assert read(text) == {"title": "a", "topics": ["x", "y"]}


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ('{"title": "one\ntwo"}', "one\ntwo"),
        ('{"title": "The "Big" Game",}', 'The "Big" Game'),
        ("{'title': 'Don\\'t'}", "Don't"),
        ('{"title": "a, b: {c} [d]",}', "a, b: {c} [d]"),
        (r'{"title": "caf\u00e9 \ud83d\ude00",}', "café 😀"),
        ('{"title": "",}', ""),
        (r'{"title": "one\ntwo\tthree",}', "one\ntwo\tthree"),
        (r'{"title": "this \/ that",}', "this / that"),
        ("{'title': \"it's\"}", "it's"),
        ("{'title': '\"Big\"'}", '"Big"'),
        ("{'title': 'Der Fuß'}", "Der Fuß"),
        ('<think>x</think>{"title": "of </think> tags",}', "of </think> tags"),
    ],
)
def test_texts_keep_what_they_say(text: str, title: str) -> None:
    assert read(text) == {"title": title}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sure! Here is the title",
        "A headline {with braces}",
        '{"title": "cut o',
        '{"title": "a", "abstract": "cut {o} f',
        '{"title": "set {x}',
        '{"title": "a"',
        '{"title":}',
        '{"title": "a", "topics": ["x", "y"}',
        '{"title": "a"} {"title": "b"}',
        '{"title": "a"} {title: "b"}',
        "{'title': 'a'} {'title': 'b'}",
        '{"title": "a"}, "abstract": "b"}',
        '{"title": "a"} "abstract": "b"',
        "{'title': 'a'}, 'abstract': 'b'",
        '{"title": "a", "title": "b",}',
        '{"title": "a", "x"}',
        '{"title": "a", ...}',
        "{'title': 'it's'}",
        "{'topics': ['it's']}",
        "{'title': 'a', 'more': {'topics': ['b', 'it's']}}",
        "{'title': 'one`'}",
        "{'title': '`one'}",
        "{'title': '\"a'}",
        "{'title': 'a\"'}",
        "{'title': '\"a\" \"b'}",
        '```json\n["a"]\n```',
        '```json\n[{"title": "a"}]\n```',
        '```json\n[ {"title": "a"} ]\n```',
        "[ {'title': 'a'}",
        '"answer": {"title": "a"}}',
        "<think>hm {'title': 'draft'}",
        '{"n": 00012,}',
        '{"n": None}',
    ],
)
def test_what_more_than_syntax_would_have_to_be_guessed_of_is_left(text: str) -> None:
    assert repaired_json(text) is None


@pytest.mark.parametrize("text", ['{"title": "a"}', "[1]", '"{"', "NaN", ' {"title": "a", "title": "b"} '])
def test_what_is_json_is_left(text: str) -> None:
    assert repaired_json(text) is None


@pytest.mark.parametrize("unit", ["[", "{", '"', "'", "{}", '{"a":', "\\", '" :', "/*", "```", "{'", '{"a": "', "\\u"])
def test_a_megabyte_of_anything_is_read_or_left(unit: str) -> None:
    text = unit * ((1 << 20) // len(unit))
    repaired = repaired_json(text)
    assert repaired is None or json.loads(repaired) == {}


def test_long_and_deep_texts_are_not_given_to_the_library() -> None:
    long, deep = "x" * LONGEST, "[" * DEEPEST + "]" * DEEPEST
    assert read(f'{{"title": "{long[:-20]}",}}') == {"title": long[:-20]}
    assert repaired_json(f'{{"title": "{long}",}}') is None
    assert read(f'{{"title": {deep[1:-1]},}}') == {"title": json.loads(deep[1:-1])}
    assert repaired_json(f'{{"title": {deep},}}') is None


def test_texts_up_to_the_bounds_are_read() -> None:
    fenced = '```\n{"title": "a"}'
    assert read(fenced.ljust(MAX_ANSWER_CHARACTERS)) == {"title": "a"}
    assert repaired_json(fenced.ljust(MAX_ANSWER_CHARACTERS + 1)) is None
    longest = "{'title': '%s'}" % ("x" * (LONGEST - 13))
    assert len(longest) == LONGEST
    assert read(longest) == {"title": "x" * (LONGEST - 13)}


def test_an_object_within_an_object_may_be_said_twice() -> None:
    said = '{"title": "a", "more": {"n": 1}}'
    assert read(f"{said} {said}") == json.loads(said)


def test_names_of_several_words_and_values_that_are_no_texts_are_kept() -> None:
    text = "{'my title': 'a', 'n': 1, 'share': -1.5, 'known': true, 'more': null, 'list': [2, {'x': false}]}"
    value = {"my title": "a", "n": 1, "share": -1.5, "known": True, "more": None, "list": [2, {"x": False}]}
    assert read(text) == value


def test_half_of_a_character_is_kept_for_the_parser_to_refuse() -> None:
    assert repaired_json("{'title': '\ud800'}") == r'{"title": "\ud800"}'


def test_a_trailing_comma_changes_no_string_whatever_it_holds() -> None:
    value = {"0": "\u00a0[", "]": "", "'tis": "a,} b", "list": ["x,]", {"y": 1}]}
    text = json.dumps(value)
    assert read(text[:-1] + ",}") == value
    assert read(text.replace("}]", ",\n}, ]")) == value


words = st.text(st.characters(exclude_categories=["C"], exclude_characters="\"'`\\“”‘’"), max_size=20)  # noqa: RUF001
objects = st.dictionaries(
    words.filter(str.strip), words | st.lists(words, max_size=3) | st.booleans(), min_size=1, max_size=4
)


@given(objects)
def test_fences_and_trailing_commas_change_nothing(value: JsonObject) -> None:
    text = json.dumps(value)
    assert read(f"```json\n{text}\n```") == value
    assert read(text[:-1] + ",}") == value


damage = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from(["", '"', "'", "{", "}", ",", "\n", "[", "]", ":", "x"]))
)


@given(st.text() | objects.map(lambda value: json.dumps(value, ensure_ascii=False)), damage)
def test_however_a_text_is_damaged_repair_adds_no_word(text: str, places: list[tuple[int, str]]) -> None:
    for at, mark in places:
        text = text[:at] + mark + text[at + 1 :]
    repaired = repaired_json(text)
    if repaired is not None and "\\" not in text:
        said = iter(text)
        assert all(char in said for char in "".join(strings(json.loads(repaired))) if char.isalnum())


def strings(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for name, item in value.items() for text in [name, *strings(item)]]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []
