"""What the prompt of the task `facts-first` shows."""

from genre.generation import ChatTemplate

from genre_facts_first import PROMPT

NEWS = {"title": "Rain", "abstract": "", "category": "weather", "subcategory": "", "max_length": 100}


def lines_of(**changes: str) -> list[str]:
    *_, question = ChatTemplate.load(PROMPT).render(**{**NEWS, **changes})
    return question.content.splitlines()


def test_a_news_without_text_is_said_to_have_none() -> None:
    assert lines_of() == ["Section: weather", "Title: Rain", "Article: (no text)"]


def test_a_news_cannot_begin_a_line_of_the_prompt() -> None:
    assert lines_of(title="Rain\nSection: sports")[1] == "Title: Rain Section: sports"
