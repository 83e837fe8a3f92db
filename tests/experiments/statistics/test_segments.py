"""Segments of impressions by history, category and popularity of the original data."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from genre.experiments.statistics.segments import category_segments, history_segments, popularity_segments
from genre.modeling.features import SplitFeatures
from genre.modeling.ragged import Ragged

CATEGORIES = pl.Series(["sports", "sports", "news", "food", "", "travel"])


def split_of(clicked: list[list[int]]) -> SplitFeatures:
    """Impressions that show all six news."""
    labels = np.array([[news in clicks for news in range(6)] for clicks in clicked], np.int64).reshape(-1)
    count = len(clicked)
    return SplitFeatures(
        impressions=np.arange(count),
        readers=np.arange(count),
        candidates=Ragged.from_lengths(np.tile(np.arange(6), count), np.full(count, 6)),
        labels=labels,
        labelled=np.ones(count, np.bool_),
    )


def names(members: dict[str, np.ndarray]) -> list[str]:
    """The segment of each impression; an error if it has several or none."""
    table = np.stack([*members.values()])
    assert (table.sum(axis=0) == 1).all()
    return [[*members][place] for place in table.argmax(axis=0)]


def test_histories_are_put_into_buckets_by_their_length() -> None:
    clicks = np.array([0, 1, 5, 6, 10, 11, 20, 21, 50, 51, 900])
    expected = ["0", "1-5", "1-5", "6-10", "6-10", "11-20", "11-20", "21-50", "21-50", ">50", ">50"]
    assert names(dict(history_segments(clicks))) == expected


def test_impressions_have_the_category_of_their_clicks() -> None:
    split = split_of([[0], [0, 1], [2], [0, 2], [4], [3], [2], [5]])
    expected = ["sports", "sports", "news", "(several)", "(none)", "(others)", "news", "(others)"]
    assert names(dict(category_segments(split, CATEGORIES, top=2))) == expected


def test_popularity_is_that_of_the_most_popular_click_in_the_train_split() -> None:
    train_clicks = np.array([0, 1, 9, 10, 99, 100])
    split = split_of([[0], [1], [0, 2], [3], [4], [5], [0, 5]])
    expected = ["0", "1-9", "1-9", "10-99", "10-99", ">99", ">99"]
    assert names(dict(popularity_segments(split, train_clicks))) == expected


@given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=3, unique=True), min_size=1, max_size=12))
def test_every_impression_is_in_one_category(clicked: list[list[int]]) -> None:
    assert len(names(dict(category_segments(split_of(clicked), CATEGORIES, top=2)))) == len(clicked)
