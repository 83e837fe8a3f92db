"""What the generator `headlines` answers."""

import asyncio
import json

import pytest
from genre.parts import Message, Prompt, Refused, Sampling

from genre_headlines import generator

TEXT = {"type": "object", "properties": {"title": {"type": "string", "maxLength": 8}}, "required": ["title"]}
NUMBER = {"type": "object", "properties": {"year": {"type": "integer"}}, "required": ["year"]}


def answer(question: str, schema: object = None, longest: int = 20) -> str:
    prompt = Prompt("task", "N1", 0, (Message("user", question),), Sampling(max_tokens=50), schema)  # type: ignore[arg-type]
    options = generator.HeadlinesGeneratorOptions(longest)
    made = generator.HeadlinesGenerator(options)
    return asyncio.run(made.complete(prompt)).text


def test_the_longest_line_is_quoted_and_cut() -> None:
    assert answer("short\nthe longest line of them all\nshort") == "the longest line of "


def test_a_schema_s_text_is_no_longer_than_it_may_be() -> None:
    assert json.loads(answer("the longest line", TEXT)) == {"title": "the long"}


@pytest.mark.parametrize(("question", "schema"), [("", None), ("a line", NUMBER)])
def test_what_it_cannot_answer_is_refused(question: str, schema: object) -> None:
    with pytest.raises(Refused):
        answer(question, schema)
