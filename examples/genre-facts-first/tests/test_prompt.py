"""What the prompts of both rounds show."""

from pathlib import Path

import pytest
from genre.generation import ChatTemplate

from genre_facts_first import FACTS, PROMPT

NEWS = {"title": "Rain", "abstract": "", "category": "weather", "subcategory": "", "max_length": 100}


def lines_of(template: Path, **changes: str) -> list[str]:
    *_, question = ChatTemplate.load(template).render(**{**NEWS, **changes})
    return question.content.splitlines()


def test_a_news_without_text_is_said_to_have_none() -> None:
    assert lines_of(FACTS) == ["Section: weather", "Title: Rain", "Article: (no text)"]
    assert lines_of(PROMPT) == ["Section: weather", "Old title: Rain", "Key facts: (none)"]


@pytest.mark.parametrize("template", [FACTS, PROMPT])
def test_a_news_cannot_begin_a_line_of_the_prompt(template: Path) -> None:
    assert lines_of(template, title="Rain\nSection: sports")[1].endswith("itle: Rain Section: sports")
