"""Searching in the data browser equals a plain loop over all news, and is bounded."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shown_data import SCRIPT, shown_dataset

from genre.browser.search import PAGE_SIZE, Hits, NewsSearch, ReaderSearch, terms

DATASET = shown_dataset()
NEWS, READERS = NewsSearch(DATASET), ReaderSearch(DATASET)


def ids(hits: Hits) -> list[object]:
    return [row["id"] for row in hits.rows]


def all_ids(query: str) -> list[object]:
    first = NEWS.find(query)
    return [each for page in range(1, first.pages + 1) for each in ids(NEWS.find(query, page=page))]


def expected_ids(query: str) -> list[str]:
    """By a loop: every word in the id, the category or some version of some text."""
    found = []
    for position, (news, category, subcategory) in enumerate(
        DATASET.news.select("id", "category", "subcategory").iter_rows()
    ):
        texts = DATASET.texts.filter(pl.col("news") == position)["text"].to_list()
        said = "\n".join([news, category, subcategory, *texts]).lower()
        if all(term in said for term in terms(query)):
            found.append(news)
    return sorted(found, key=lambda news: news != query.strip())


@pytest.mark.parametrize(
    "query", ["", "winner", "WINNER last", '"in Ohio"', "N1", "M1", "tennis match", "script", "nothing at all", '"'],
)  # fmt: skip
def test_news_are_found_as_by_a_loop_over_all(query: str) -> None:
    assert all_ids(query) == expected_ids(query)


@settings(max_examples=50)
@given(st.text(alphabet='aeinorst ÅİßΣ"*.[(\\', max_size=8))
def test_any_query_finds_what_a_loop_finds(query: str) -> None:
    assert all_ids(query) == expected_ids(query)


def test_a_news_is_found_by_what_a_round_wrote_and_by_what_it_replaced() -> None:
    assert ids(NEWS.find('"at the last"')) == ids(NEWS.find('"late goal"')) == ["N1"]
    [row] = NEWS.find("N1", kind="rewritten").rows
    assert (row["title"], row["latest"], row["rewritten"]) == ("Late goal wins it", "A winner, at the last", True)


def test_an_exact_id_comes_first() -> None:
    assert ids(NEWS.find("M2"))[:3] == ["M2", "M20", "M21"]
    assert READERS.find("more 0").rows[0]["user"] == "more 0"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("generated", {"G-1", 'G"&<2>'}), ("rewritten", {"N1", "N2", "N3"})],
)
def test_kinds_narrow_news_down(kind: str, expected: set[str]) -> None:
    assert set(ids(NEWS.find("", kind=kind))) == expected  # type: ignore[arg-type]


def test_generated_news_are_not_called_rewritten() -> None:
    assert not any(row["rewritten"] for row in NEWS.find("", kind="generated").rows)


def test_a_category_narrows_news_down() -> None:
    assert set(ids(NEWS.find("", category="sports"))) == {"N1", "N2", 'G"&<2>'}
    assert NEWS.categories == ("health", "more", "sports", "travel")


@pytest.mark.parametrize(
    ("kind", "count"), [("all", 5), ("new", 3), ("warm", 2), ("profiled", 1), ("synthetic", 1), ("selected", 1)]
)
def test_kinds_narrow_readers_down(kind: str, count: int) -> None:
    assert READERS.find("", kind=kind).total == count  # type: ignore[arg-type]


def test_a_reader_tells_clicks_and_synthetic_news() -> None:
    [row] = READERS.find("", kind="synthetic").rows
    assert (row["user"], row["clicks"], row["appended"], row["new"]) == ("new", 2, 2, True)


def test_pages_are_bounded_and_a_page_too_far_is_the_last() -> None:
    first, last = NEWS.find(""), NEWS.find("", page=10**9)
    assert (first.total, first.pages, len(first.rows)) == (68, 3, PAGE_SIZE)
    assert (last.page, len(last.rows)) == (3, 68 - 2 * PAGE_SIZE)
    assert NEWS.find("", page=0).page == 1


def test_a_query_is_words_and_quoted_phrases_and_cut_short() -> None:
    assert terms('Late  "In Ohio" x"y z"') == ["late", "in ohio", "x", "y z"]
    assert len("".join(terms("x" * 10_000))) == 200
    assert all_ids(SCRIPT[:8]) == ["N2"]
