"""The gate `near-distinct`, against exact comparison, and what it keeps."""

import sys
from typing import Any

import attrs
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_data import NEWS, small_dataset

from genre.dataset import Dataset
from genre.errors import UsageError
from genre.parts import Message, Prompt, Sampling
from genre_gates.near_distinct import NearDistinct, NearDistinctOptions
from genre_gates.shingles import FOUND, HASHES, Unit, bands_and_rows, shingles
from genre_gates.texts import words

PROMPT = Prompt("news-generator", "new@1", 0, (Message("user", "?"),), Sampling(max_tokens=8))
LONG = "The home side scored in the very last minute of the match"


def gate(dataset: Dataset | None = None, **options: Any) -> NearDistinct:
    return NearDistinct(NearDistinctOptions(**options), dataset or small_dataset())


def test_of_almost_equal_texts_the_first_stays() -> None:
    near = gate()
    assert near.reject(PROMPT, {"title": LONG}) is None
    assert near.reject(PROMPT, {"title": f"{LONG}es"}) == "title almost that of an earlier answer"
    assert near.reject(PROMPT, {"title": "Sun over Oslo"}) is None


def test_case_punctuation_and_spacing_do_not_count() -> None:
    near = gate(threshold=1.0)
    assert near.reject(PROMPT, {"title": LONG}) is None
    assert near.reject(PROMPT, {"title": f"«{LONG.upper().replace(' ', ' - ')}!»"}) is not None


def test_a_text_that_is_almost_a_news_is_rejected_whichever_version_it_is() -> None:
    title = small_dataset().texts.filter(pl.col("field") == "title").head(1)
    rewritten = small_dataset().with_texts(title.with_columns(version=pl.lit("rewritten"), text=pl.lit(LONG)))
    for text in (f"{NEWS[0][3]}!", f"{LONG}es"):
        assert gate(rewritten).reject(PROMPT, {"title": text}) == "title almost that of a news in the data set"


@pytest.mark.parametrize("options", [{"field": "abstract"}, {"field": ""}])
def test_other_fields_of_news_are_not_looked_at(options: dict[str, str]) -> None:
    assert gate(**options).reject(PROMPT, {"title": NEWS[0][3]}) is None


def test_an_answer_about_a_news_may_almost_repeat_its_own_text_alone() -> None:
    about = attrs.evolve(PROMPT, subject=NEWS[0][0])
    assert gate().reject(about, {"title": NEWS[0][3]}) is None
    assert gate().reject(about, {"title": NEWS[1][3]}) is not None


def test_a_rejected_answer_is_not_remembered() -> None:
    near = gate(threshold=0.7, field="")
    texts = ["abcdefghijklmnopqrst", "abcdefghijklmnopqrstuvw", "ghijklmnopqrstuvwxyz012"]
    # The third is like the second, which was rejected, and not like the first.
    assert [near.reject(PROMPT, {"title": text}) is None for text in texts] == [True, False, True]


def test_the_oldest_answers_are_forgotten() -> None:
    near = gate(remember=2)
    for title in ("One quiet morning in Lima", "Two storms over Bergen", "Three goals in Milan"):
        assert near.reject(PROMPT, {"title": title}) is None
    assert near.reject(PROMPT, {"title": "Three goals in Milan"}) is not None
    assert near.reject(PROMPT, {"title": "One quiet morning in Lima"}) is None


@pytest.mark.parametrize("title", [None, 3, ["a"], {"a": "b"}])
def test_what_is_no_text_is_rejected(title: Any) -> None:
    assert gate().reject(PROMPT, {"title": title}) == "title is no text"


@given(st.lists(st.text("ab cé", max_size=24), max_size=12), st.sampled_from([0.5, 0.8]), st.data())
@settings(max_examples=60)
def test_no_text_is_rejected_that_exact_comparison_accepts(
    texts: list[str], threshold: float, data: st.DataObject
) -> None:
    unit: Unit = data.draw(st.sampled_from(("characters", "words")))
    near = gate(threshold=threshold, unit=unit, size=2, field="")
    kept: list[frozenset[str]] = []
    for text in texts:
        plain = " ".join(words(text)) or text.strip()
        mine = shingles(plain, unit, 2)
        alike = max((len(mine & other) / len(mine | other) for other in kept), default=0.0)
        reason = near.reject(PROMPT, {"title": text})
        assert reason is None or alike >= threshold
        assert reason is not None or alike < 1  # equal ones always meet
        if reason is None:
            kept.append(mine)


@given(st.floats(0.2, 1))
def test_bands_find_pairs_at_the_threshold_and_fit_into_the_signature(threshold: float) -> None:
    bands, rows = bands_and_rows(threshold)
    assert bands * rows <= HASHES
    assert 1 - (1 - threshold**rows) ** bands >= FOUND


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("abcde", "characters", {"abcd", "bcde"}),
        ("abc", "characters", {"abc"}),
        ("", "characters", {""}),
        ("a b c d e", "words", {"a b c d", "b c d e"}),
        ("a b", "words", {"a b"}),
    ],
)
def test_shingles_are_runs_and_a_short_text_is_one(text: str, unit: Any, expected: set[str]) -> None:
    assert shingles(text, unit, 4) == expected


def test_without_its_package_the_gate_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasketch", None)
    with pytest.raises(UsageError, match=r"genre-rec\[gates\]"):
        gate()
