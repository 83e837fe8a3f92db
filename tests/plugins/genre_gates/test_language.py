"""The gate `language`: the model is part of a package, so its verdicts are the same everywhere."""

import sys
from typing import Any

import pytest
from small_data import small_dataset

from genre.errors import UsageError
from genre.parts import Message, Prompt, Sampling
from genre_gates.language import Language, LanguageOptions

PROMPT = Prompt("news-generator", "new@1", 0, (Message("user", "?"),), Sampling(max_tokens=8))
ENGLISH = "The senate passes the budget after a long session"
GERMAN = "Der Bundestag beschließt den neuen Haushalt"


def gate(**options: Any) -> Language:
    return Language(LanguageOptions(**options), small_dataset())


def test_a_text_in_another_language_is_rejected() -> None:
    english = gate()
    assert english.reject(PROMPT, {"title": ENGLISH}) is None
    assert english.reject(PROMPT, {"title": GERMAN}) == "title in another language"


def test_several_languages_may_be_wanted() -> None:
    both = gate(languages=("en", "de"))
    assert [both.reject(PROMPT, {"title": title}) for title in (ENGLISH, GERMAN)] == [None, None]


def test_short_texts_pass() -> None:
    assert gate(min_length=len(GERMAN) + 1).reject(PROMPT, {"title": GERMAN}) is None
    assert gate(min_length=len(GERMAN)).reject(PROMPT, {"title": GERMAN}) is not None


def test_a_short_list_of_languages_makes_fewer_mistakes_and_stays_with_its_gate() -> None:
    title = "A weekend in Paris"  # Dutch, if it may be
    assert gate(min_length=0, among=("de", "fr")).reject(PROMPT, {"title": title}) is None
    assert gate(min_length=0).reject(PROMPT, {"title": title}) is not None


def test_what_is_no_text_is_rejected() -> None:
    assert gate().reject(PROMPT, {}) == "title is no text"


@pytest.mark.parametrize("options", [{"languages": ("eng",)}, {"among": ("english",)}])
def test_an_unknown_language_is_told(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"gates\.language: .*no language"):
        gate(**options)


def test_without_its_package_the_gate_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "py3langid", None)
    with pytest.raises(UsageError, match=r"genre-rec\[gates\]"):
        gate()
