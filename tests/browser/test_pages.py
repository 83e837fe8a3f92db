"""Pages of the data browser for whatever stands in an address."""

from html.parser import HTMLParser

import attrs
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shown_data import shown_dataset

from genre.browser.pages import NotFoundError, Pages, address
from genre.errors import UsageError

DATASET = shown_dataset()
PAGES = Pages(DATASET, "</title><script>alert(1)</script>")
TEXTS = st.text(max_size=30) | st.sampled_from(["<script>", "\0", '"', "N1", "9" * 9, "0", "-1", "٣", "%", "a\nb"])


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)


@given(st.dictionaries(st.sampled_from(["q", "kind", "category", "page", "id"]), TEXTS))
def test_any_address_gives_a_page_or_a_mistake_that_is_told(query: dict[str, str]) -> None:
    for page in (PAGES.home, PAGES.news_list, PAGES.reader_list, PAGES.news, PAGES.reader):
        try:
            text = page(query)
        except UsageError as error:
            text = PAGES.problem(error.message, error.remedy)
        assert "script" not in Tags(text).found


def test_an_unknown_id_is_told_apart_from_a_wrong_parameter() -> None:
    with pytest.raises(NotFoundError):
        PAGES.news({"id": "N11"})
    with pytest.raises(UsageError) as raised:
        PAGES.news_list({"page": "x"})
    assert not isinstance(raised.value, NotFoundError)


def test_addresses_leave_out_what_is_empty_and_escape_the_rest() -> None:
    assert address("/news", q="", kind=None) == "/news"
    assert address("/news", q="a&b=c #", page=2) == "/news?q=a%26b%3Dc+%23&page=2"


def test_a_history_shows_titles_as_they_were_clicked_and_as_they_were_rewritten() -> None:
    reader = DATASET.readers.filter(pl.col("user") == "warm")["id"][0]
    page = PAGES.reader({"id": reader})
    assert '<bdi>Late goal wins it</bdi></a>\n<p class="latest"><bdi>A winner, at the last</bdi></p>' in page


def test_an_empty_list_of_entities_is_nothing_that_is_known() -> None:
    news = DATASET.news.with_columns(title_entities=pl.lit("[]"), abstract_entities=pl.lit("[]"))
    pages = Pages(attrs.evolve(DATASET, news=news), "shown")
    assert "title entities" not in pages.news({"id": "N2"})
