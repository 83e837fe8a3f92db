"""The gate `distinct`, by itself and in a round."""

import pytest
from small_data import NEWS, small_dataset

from genre.parts import Message, Prompt, Sampling
from genre_gates.distinct import Distinct, DistinctOptions

PROMPT = Prompt("news-generator", "new@1", 0, (Message("user", "?"),), Sampling(max_tokens=8))


def gate(**options: str) -> Distinct:
    return Distinct(DistinctOptions(**options), small_dataset())


def test_the_first_of_equal_texts_stays_and_the_others_are_rejected() -> None:
    distinct = gate()
    assert distinct.reject(PROMPT, {"title": "Fog over Oslo"}) is None
    assert distinct.reject(PROMPT, {"title": "FOG over Oslo"}) == "title of an earlier answer"
    assert distinct.reject(PROMPT, {"title": "Sun over Oslo"}) is None


def test_a_title_that_a_news_has_already_is_rejected() -> None:
    assert gate().reject(PROMPT, {"title": NEWS[0][3]}) == "title of a news in the data set"


@pytest.mark.parametrize("options", [{"property": "headline"}, {"field": "abstract"}, {"field": ""}])
def test_other_texts_are_not_looked_at(options: dict[str, str]) -> None:
    assert gate(**options).reject(PROMPT, {"title": NEWS[0][3]}) is None
