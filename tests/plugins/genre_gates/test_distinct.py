"""The gate `distinct`, by itself and in a round."""

import pytest
from small_data import NEWS, small_dataset

from genre.errors import UsageError
from genre.parts import Message, Prompt, Sampling
from genre_gates.distinct import Distinct, DistinctOptions


def prompt(subject: str = "new@1") -> Prompt:
    return Prompt("news-generator", subject, 0, (Message("user", "?"),), Sampling(max_tokens=8))


PROMPT = prompt()


def gate(**options: str) -> Distinct:
    return Distinct(DistinctOptions(**options), small_dataset())


def test_the_first_of_equal_texts_stays_and_the_others_are_rejected() -> None:
    distinct = gate()
    assert distinct.reject(PROMPT, {"title": "Fog over Oslo"}) is None
    assert distinct.reject(PROMPT, {"title": "FOG over Oslo"}) == "title of an earlier answer"
    assert distinct.reject(PROMPT, {"title": "Sun over Oslo"}) is None


def test_a_title_that_a_news_has_already_is_rejected() -> None:
    assert gate().reject(PROMPT, {"title": NEWS[0][3]}) == "title of a news in the data set"


def test_an_answer_about_a_news_may_keep_its_text_but_not_take_another_s() -> None:
    distinct = gate()
    assert distinct.reject(prompt("N1"), {"title": NEWS[0][3].upper()}) is None
    assert distinct.reject(prompt("N2"), {"title": NEWS[0][3]}) == "title of a news in the data set"


def test_a_text_that_several_news_have_is_nobody_s_own() -> None:
    dataset = small_dataset()
    rows = dataset.texts.filter(dataset.texts["text"] == NEWS[0][3])
    twice = dataset.with_texts(rows.with_columns(news=rows["news"] + 1))
    assert Distinct(DistinctOptions(), twice).reject(prompt("N1"), {"title": NEWS[0][3]}) is not None


@pytest.mark.parametrize("options", [{"field": "abstract"}, {"field": ""}])
def test_other_texts_are_not_looked_at(options: dict[str, str]) -> None:
    assert gate(**options).reject(PROMPT, {"title": NEWS[0][3]}) is None


def test_every_answer_without_the_property_is_rejected_for_that() -> None:
    distinct = gate(property="headline")
    assert [distinct.reject(PROMPT, {"title": text}) for text in "ab"] == ["headline is missing"] * 2


def test_an_unknown_text_field_is_an_error() -> None:
    with pytest.raises(UsageError, match="no news has a text field 'titel'") as caught:
        gate(field="titel")
    assert "did you mean 'title'?" in str(caught.value)
