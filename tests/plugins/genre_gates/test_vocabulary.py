"""The gate `vocabulary`: values of a property are in a closed list."""

from typing import Any

import polars as pl
import pytest
from small_data import small_dataset

from genre.errors import UsageError
from genre.parts import Message, Prompt, Sampling
from genre_gates.vocabulary import Vocabulary, VocabularyOptions

PROMPT = Prompt("news-generator", "new@1", 0, (Message("user", "?"),), Sampling(max_tokens=8))
OUTSIDE = "category outside the vocabulary"
NEITHER = "category is neither a text nor a list of texts"


def gate(**options: Any) -> Vocabulary:
    return Vocabulary(VocabularyOptions(**options), small_dataset())


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("health", None),
        (["health", "travel"], None),
        ([], None),
        ("Health", OUTSIDE),
        ("weather", OUTSIDE),
        ("", OUTSIDE),
        (["health", "weather"], OUTSIDE),
        (None, NEITHER),
        (1, NEITHER),
        (["health", 1], NEITHER),
        ({"health": 1}, NEITHER),
    ],
)
def test_only_values_that_news_have_pass(value: Any, reason: str | None) -> None:
    assert gate().reject(PROMPT, {"category": value}) == reason


def test_subcategories_are_another_list() -> None:
    assert gate(values_from="subcategories").reject(PROMPT, {"category": "tennis"}) is None
    assert gate(values_from="subcategories").reject(PROMPT, {"category": "sports"}) == OUTSIDE


def test_given_values_take_the_place_of_those_of_the_data_set() -> None:
    topics = gate(property="topics", values=("food",))
    assert topics.reject(PROMPT, {"topics": ["food"]}) is None
    assert topics.reject(PROMPT, {"topics": ["health"]}) == "topics outside the vocabulary"


def test_a_reason_never_repeats_what_the_model_said() -> None:
    hostile = "\x1b[31m{{ secret }}"
    assert hostile not in str(gate().reject(PROMPT, {"category": hostile}))


def test_a_data_set_without_categories_is_an_error_that_says_what_to_do() -> None:
    import attrs

    bare = small_dataset()
    bare = attrs.evolve(bare, news=bare.news.with_columns(category=pl.lit("")))
    with pytest.raises(UsageError, match="values ="):
        Vocabulary(VocabularyOptions(), bare)
