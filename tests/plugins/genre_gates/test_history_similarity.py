"""The gate `history-similarity`, and its vectors against scikit-learn's."""

from typing import Any

import attrs
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from small_data import NEWS, small_dataset

from genre.dataset import Dataset
from genre.errors import UsageError
from genre.parts import Message, Prompt, Sampling
from genre.registry import Registry
from genre_gates.history_similarity import HistorySimilarity, HistorySimilarityOptions
from genre_gates.texts import words
from genre_gates.tf_idf import NewsVectors

COPY = {"title": NEWS[0][3], "abstract": NEWS[0][4]}
ELSEWHERE = {"title": NEWS[5][3], "abstract": NEWS[5][4]}
"""A copy of what only `warm` clicked."""


def about(user: str, dataset: Dataset | None = None) -> Prompt:
    """A prompt about the first reader of a user."""
    readers = (dataset or small_dataset()).readers
    subject = readers.filter(pl.col("user") == user)["id"][0]
    return Prompt("news-generator", subject, 0, (Message("user", "?"),), Sampling(max_tokens=8))


def gate(dataset: Dataset | None = None, **options: Any) -> HistorySimilarity:
    return HistorySimilarity(HistorySimilarityOptions(**options), dataset or small_dataset())


def test_a_copy_of_a_clicked_news_is_rejected() -> None:
    assert gate().reject(about("new"), COPY) == "almost a news of the history"
    assert gate(at_most=1.0).reject(about("new"), COPY) is None


def test_a_copy_of_a_news_that_the_reader_never_clicked_passes() -> None:
    assert gate().reject(about("new"), ELSEWHERE) is None
    assert gate().reject(about("warm"), ELSEWHERE) is not None


def test_what_shares_no_word_with_the_history_is_too_unlike_it() -> None:
    record = {"title": "Quantum llamas", "abstract": "Nobody knows"}
    assert gate(at_least=0.1).reject(about("new"), record) == "too unlike the history"
    assert gate().reject(about("new"), record) is None


def test_a_reader_without_clicks_has_nothing_to_be_compared_with() -> None:
    assert gate(at_least=0.5).reject(about("nobody"), COPY) is None


def test_what_rounds_appended_to_a_history_is_not_compared_with() -> None:
    made = pl.DataFrame({"reader": [0], "id": ["G1"], "version": ["v"], "model": ["m"], **ELSEWHERE})
    assert gate(small_dataset().with_generated_news(made)).reject(about("new"), ELSEWHERE) is None


def test_properties_that_an_answer_lacks_are_left_out_but_one_must_be_there() -> None:
    title_only = gate(fields=("title",))
    assert title_only.reject(about("new"), {"title": NEWS[0][3]}) == "almost a news of the history"
    assert title_only.reject(about("new"), {"title": 3}) == "title or abstract is no text"


@pytest.mark.parametrize("fields", [("titel",), ("title", "titel"), ("titel", "title")])
def test_a_text_field_that_no_news_has_is_told_though_another_is_right(fields: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as caught:
        gate(fields=fields)
    told = "gates.history-similarity.fields: no news has a text field 'titel'\n  -> did you mean 'title'? (valid: "
    assert told in str(caught.value)


def test_a_usual_field_that_no_news_has_may_be_named_beside_another() -> None:
    dataset = small_dataset()
    titles = attrs.evolve(dataset, texts=dataset.texts.filter(pl.col("field") == "title"))
    assert gate(titles).reject(about("new"), {"title": NEWS[0][3]}) == "almost a news of the history"
    with pytest.raises(UsageError, match="no news has a text field 'abstract'"):
        gate(titles, fields=("abstract",))


def test_bounds_that_nothing_meets_are_an_error_before_anything_is_asked() -> None:
    with pytest.raises(UsageError):
        Registry.load().structure_options("gate", "history-similarity", {"at_least": 0.8, "at_most": 0.2})


TEXTS = st.lists(st.sampled_from(["fog", "rain", "oslo", "paris", "goal", "late", "wins"]), min_size=1, max_size=8).map(
    " ".join
)


@given(st.lists(TEXTS, min_size=1, max_size=6), TEXTS)
def test_cosines_are_those_of_scikit_learn_where_every_word_is_known(news: list[str], text: str) -> None:
    reference = TfidfVectorizer(analyzer=words).fit([*news, text])
    expected = (reference.transform(news) @ reference.transform([text]).T).toarray().ravel()
    vectors = NewsVectors.fit([*news, text], np.ones(len(news) + 1, dtype=np.bool_))
    np.testing.assert_allclose(vectors.cosines(text, np.arange(len(news))), expected, atol=1e-9)


def test_words_that_no_news_has_make_a_text_less_similar() -> None:
    vectors = NewsVectors.fit(["fog over oslo", ""], np.ones(2, dtype=np.bool_))
    [same, empty] = vectors.cosines("Fog over Oslo!", np.array([0, 1]))
    [less] = vectors.cosines("Fog over Oslo and llamas", np.array([0]))
    assert same == pytest.approx(1)
    assert empty == 0
    assert 0 < less < 0.9
