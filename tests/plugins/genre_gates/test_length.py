"""The gate `length`: words and characters between bounds."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_data import small_dataset

from genre.errors import UsageError
from genre.parts import Message, Prompt, Sampling
from genre.registry import Registry
from genre_gates.length import Length, LengthOptions

PROMPT = Prompt("news-generator", "new@1", 0, (Message("user", "?"),), Sampling(max_tokens=8))


def verdict(title: Any, **options: Any) -> str | None:
    return Length(LengthOptions(**options), small_dataset()).reject(PROMPT, {"title": title})


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, None),
        ({"min_words": 4}, None),
        ({"min_words": 5}, "title below 5 words"),
        ({"max_words": 4}, None),
        ({"max_words": 3}, "title above 3 words"),
        ({"min_characters": 18}, None),
        ({"min_characters": 19}, "title below 19 characters"),
        ({"max_characters": 18}, None),
        ({"max_characters": 17}, "title above 17 characters"),
        ({"max_words": 3, "max_characters": 17}, "title above 3 words"),
    ],
)
def test_bounds_are_included(options: dict[str, int], reason: str | None) -> None:
    assert verdict("Fog, rain - and us", **options) == reason


def test_what_is_no_text_is_rejected() -> None:
    assert verdict(["Fog", "rain"]) == "title is no text"


@given(st.text())
def test_a_text_has_as_many_characters_as_it_has(text: str) -> None:
    assert verdict(text, min_words=0, min_characters=len(text), max_characters=len(text)) is None


@pytest.mark.parametrize("options", [{"min_words": 3, "max_words": 2}, {"min_characters": -1}])
def test_bounds_that_nothing_meets_are_an_error_before_anything_is_asked(options: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        Registry.load().structure_options("gate", "length", options)
