"""What pages of one news and one reader show."""

from typing import Any

import polars as pl
import pytest
from shown_data import shown_dataset
from small_data import small_dataset

from genre.browser.details import news_details, reader_details
from genre.errors import UsageError
from genre.experiments.inspection import describe_impressions, describe_showings

DATASET = shown_dataset()


def reader_of(user: str) -> str:
    return str(DATASET.readers.filter(pl.col("user") == user)["id"][0])


def test_a_news_has_all_versions_with_round_and_model_title_first() -> None:
    found: Any = news_details(DATASET, "N1")
    assert list(found["fields"]) == ["title", "abstract"]
    versions = [(text["version"], text["model"]) for text in found["fields"]["title"]]
    assert versions == [("original", ""), ("summaries", "gpt <b>x</b>")]


def test_a_news_tells_how_often_it_was_shown_and_clicked() -> None:
    told = describe_showings(DATASET, "N4")
    assert told["splits"] == [
        {"split": "dev", "shown": 1, "clicked": 1},
        {"split": "train", "shown": 1, "clicked": 0},
    ]


def test_an_unlabelled_impression_counts_as_shown_and_not_as_clicked() -> None:
    import attrs

    dataset = small_dataset()
    unlabelled = attrs.evolve(
        dataset, impressions=dataset.impressions.with_columns(labels=pl.lit(None, dtype=pl.List(pl.UInt8)))
    )
    assert describe_showings(unlabelled, "N4")["splits"] == [
        {"split": "dev", "shown": 1, "clicked": 0},
        {"split": "train", "shown": 1, "clicked": 0},
    ]
    told: Any = describe_impressions(unlabelled, unlabelled.readers["id"][0])
    assert {news["clicked"] for news in told["latest"][0]["candidates"]} == {None}


def test_readers_with_a_news_in_the_history_are_counted_and_some_are_named() -> None:
    told: Any = describe_showings(DATASET, "N1", most=1)
    assert told["readers"] == 3
    assert len(told["some_readers"]) == 1


def test_a_history_is_newest_first_and_tells_read_left_out_and_appended() -> None:
    found: Any = reader_details(DATASET, reader_of("warm"))
    states = {news["id"]: news["state"] for news in found["history"]}
    assert states == {
        "N6": "left out",
        "N5": "left out",
        "N4": "left out",
        "N3": "read",
        "N2": "left out",
        "N1": "read",
    }
    synthetic: Any = reader_details(DATASET, reader_of("new"))
    assert [news["state"] for news in synthetic["history"]] == ["appended", "appended", "read", "read"]


def test_interests_are_told_by_kind_and_round() -> None:
    found: Any = reader_details(DATASET, reader_of("warm"))
    [(key, values)] = found["interests"].items()
    assert key == ("topics", "profiles", "m")
    assert values[0] == "tennis"


def test_the_same_user_s_other_readers_are_named() -> None:
    found: Any = reader_details(DATASET, reader_of("new"))
    assert [other["clicks"] for other in found["others"]] == [3]


def test_impressions_have_candidates_with_titles_and_clicks() -> None:
    found: Any = reader_details(DATASET, reader_of("new"))
    [impression] = found["impressions"]["latest"]
    assert (impression["id"], impression["split"]) == ("1", "train")
    told = [(news["id"], news["title"], news["clicked"]) for news in impression["candidates"]]
    assert told == [("N5", "A weekend in Paris", False), ("N3", "What to eat now", True)]


def test_an_unknown_news_or_reader_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="no news 'N11'"):
        news_details(DATASET, "N11")
    with pytest.raises(UsageError, match="no news 'N11'"):
        describe_showings(DATASET, "N11")
    for describe in (reader_details, describe_impressions):
        with pytest.raises(UsageError, match="no reader"):
            describe(DATASET, "nobdy@1")
    with pytest.raises(UsageError, match="no reader 'warm'"):  # a user, and no reader
        reader_details(DATASET, "warm")
