"""The reader `adressa`: events, sessions, and the impressions that are made of them."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from dataset.adressa_files import DAY, HOUR, START, event, week, write_days
from hypothesis import example, given, settings
from hypothesis import strategies as st

from genre.dataset import Dataset, check_rows
from genre.errors import UsageError
from genre_datasets.adressa import AdressaOptions, adressa_rows, read_adressa

QUICK: Mapping[str, Any] = {"history_days": 1, "train_days": 1, "dev_days": 1}


def read(folder: Path, events: list[dict[str, Any]], **options: Any) -> Dataset:
    write_days(folder, events)
    return read_adressa(AdressaOptions(folder, **{**QUICK, **options}))


def impressions(dataset: Dataset) -> list[dict[str, Any]]:
    """Each impression with ids for positions."""
    ids = dataset.news["id"]
    return [
        {
            "split": each["split"],
            "user": dataset.readers["user"][each["reader"]],
            "history": ids.gather(dataset.readers["history"][each["reader"]].to_list()).to_list(),
            "candidates": ids.gather(each["candidates"]).to_list(),
            "click": ids[each["candidates"][each["labels"].index(1)]],
            "labels": each["labels"],
            "time": each["time"],
        }
        for each in dataset.impressions.iter_rows(named=True)
    ]


OTHERS = [event(f"o{number}", user="cx:other", at=20 * HOUR + number) for number in range(5)]
"""What somebody else opened in the evening of the first day, and could have been shown in the morning after."""


def test_a_click_is_an_impression_with_drawn_negatives(tmp_path: Path) -> None:
    events = [event("a1", at=HOUR), *OTHERS, event("a2", at=DAY + HOUR)]
    [made] = impressions(read(tmp_path, events, negatives=3))
    assert (made["split"], made["user"], made["history"], made["click"]) == ("train", "cx:u1", ["a1"], "a2")
    assert sorted(made["labels"]) == [0, 0, 0, 1]
    assert set(made["candidates"]) - {"a2"} <= {f"o{number}" for number in range(5)}
    assert made["time"] == datetime(2017, 1, 2, 1)


def test_articles_are_read_from_the_events(tmp_path: Path) -> None:
    events = [
        event("a1", title=None, category1=None, at=HOUR),
        event("a1", title="First", category1="sport|fotball|rbk", canonicalUrl="http://x/a1", at=2 * HOUR),
        event("a1", title="Second", at=3 * HOUR),
        event("a2", at=DAY + HOUR),
    ]
    dataset = read(tmp_path, events)
    assert dataset.text("title")[0] == "First"
    assert dataset.news.row(0, named=True)["category"] == "sport"
    assert dataset.news.row(0, named=True)["subcategory"] == "fotball"
    assert dataset.news.row(0, named=True)["url"] == "http://adressa.no/a1"


def test_pages_that_are_no_article_are_counted(tmp_path: Path) -> None:
    events = [event("a1"), event(None, at=HOUR), *OTHERS, event("a2", at=DAY)]
    dataset = read(tmp_path, events)
    details = dataset.lineage[0].details
    assert (details["events"], details["events_elsewhere"]) == (7, 1)


def test_impressions_of_a_session_share_the_history_before_it(tmp_path: Path) -> None:
    morning = DAY + 8 * HOUR
    events = [
        event("a1", at=HOUR),
        *OTHERS,
        event("a2", at=morning),
        event("a3", at=morning + 1799),
        event("a4", at=morning + 1799 + 1801),
    ]
    made = impressions(read(tmp_path, events))
    assert [(each["click"], each["history"]) for each in made] == [
        ("a2", ["a1"]),
        ("a3", ["a1"]),
        ("a4", ["a1", "a2", "a3"]),
    ]


def test_what_was_opened_before_makes_no_further_impression_and_is_no_negative(tmp_path: Path) -> None:
    events = [event("o1", at=HOUR), *OTHERS, event("o1", at=DAY), event("a2", at=DAY + 60), event("a2", at=DAY + 90)]
    [made] = impressions(read(tmp_path, events, negatives=9))
    assert made["click"] == "a2"
    assert set(made["candidates"]) == {"a2", "o0", "o2", "o3", "o4"}


def test_negatives_come_from_the_full_hours_before_only(tmp_path: Path) -> None:
    events = [
        event("old", user="cx:other", at=22 * HOUR - 1),
        event("in", user="cx:other", at=22 * HOUR),
        event("in too", user="cx:other", at=DAY - 1) | {"id": "in-too"},
        event("same-hour", user="cx:other", at=DAY + 1),
        event("a2", at=DAY + 60),
    ]
    made = [each for each in impressions(read(tmp_path, events, pool_hours=2)) if each["user"] == "cx:u1"]
    assert set(made[0]["candidates"]) == {"a2", "in", "in-too"}


def test_a_click_beside_which_nothing_could_be_shown_is_left_out_and_counted(tmp_path: Path) -> None:
    events = [event("a1", at=HOUR), event("a2", at=DAY + HOUR)]
    dataset = read(tmp_path, events, pool_hours=1)
    assert dataset.impressions.height == 0
    assert dataset.lineage[0].details["impressions_without_candidates"] == 1


def test_days_are_cut_into_splits_and_the_rest_is_not_read(tmp_path: Path) -> None:
    events = [*OTHERS, *(event(f"a{day}", at=day * DAY + HOUR) for day in range(6))]
    made = impressions(read(tmp_path, events, test_days=1, pool_hours=100))
    assert [(each["split"], each["click"]) for each in made] == [("train", "a1"), ("dev", "a2"), ("test", "a3")]


def test_long_histories_keep_their_latest_articles(tmp_path: Path) -> None:
    events = [*(event(f"a{number}", at=number * 60) for number in range(8)), *OTHERS, event("b", at=DAY + HOUR)]
    [made] = impressions(read(tmp_path, events, longest_history=3))
    assert made["history"] == ["a5", "a6", "a7"]


def test_the_order_of_lines_does_not_matter_where_times_differ(tmp_path: Path) -> None:
    events = week()
    assert len({each["time"] for each in events}) == len(events)
    forward = impressions(read(tmp_path / "forward", events, history_days=5))
    backward = impressions(read(tmp_path / "backward", events[::-1], history_days=5))
    assert [(each["click"], sorted(each["history"])) for each in forward] == [
        (each["click"], sorted(each["history"])) for each in backward
    ]


def test_equal_seeds_make_equal_sets_and_others_draw_otherwise(tmp_path: Path) -> None:
    events = week(users=6, articles=40)
    once = read(tmp_path, events, history_days=5, negatives=2)
    assert read(tmp_path, events, history_days=5, negatives=2).fingerprint == once.fingerprint
    assert read(tmp_path, events, history_days=5, negatives=2, seed=1).fingerprint != once.fingerprint


def test_packed_files_say_the_same(tmp_path: Path) -> None:
    write_days(tmp_path / "packed", week(), packed=True)
    packed = read_adressa(AdressaOptions(tmp_path / "packed"))
    write_days(tmp_path / "plain", week())
    assert packed.fingerprint == read_adressa(AdressaOptions(tmp_path / "plain")).fingerprint


def test_nothing_is_wrong_with_the_set_that_is_made(tmp_path: Path) -> None:
    write_days(tmp_path, week(users=6, articles=40))
    assert {each.kind.level for each in check_rows(adressa_rows(AdressaOptions(tmp_path)))} <= {"note"}


BROKEN = {
    "no JSON": ("{", "not JSON"),
    "an empty line": ("", "not JSON"),
    "no object": ("[1]", "no JSON object"),
    "no user": (json.dumps({**event("a1"), "userId": None}), "userId is None"),
    "a number for a user": (json.dumps({**event("a1"), "userId": 7}), "userId is 7"),
    "no time": (json.dumps({**event("a1"), "time": "now"}), "time is 'now'"),
    "milliseconds": (json.dumps({**event("a1"), "time": START * 1000}), "seconds since 1970 are expected"),
    "a truth for a time": (json.dumps({**event("a1"), "time": True}), "time is True"),
    "an id with blanks": (json.dumps(event("a 1")), "a text without blanks"),
    "a number for an id": (json.dumps({**event("a1"), "id": 7}), "id is 7"),
}


@pytest.mark.parametrize(("line", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_line_is_told_with_its_file_and_number(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "20170101").write_text(f"{json.dumps(event('a1'))}\n{line}\n{json.dumps(event('a2'))}\n")
    with pytest.raises(UsageError, match=message) as told:
        read_adressa(AdressaOptions(tmp_path))
    assert told.value.where == f"{tmp_path}/20170101:2"


def test_a_log_that_ends_before_the_first_split_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the log has 2 days with articles, and the first 5 fill histories only"):
        read(tmp_path, [event("a1"), event("a2", at=DAY)], history_days=5)


def test_a_log_without_articles_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the log has 0 days"):
        read(tmp_path, [event(None)], history_days=0)


def test_a_folder_without_day_files_is_told(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("hello")
    with pytest.raises(UsageError, match="there is no day file"):
        read_adressa(AdressaOptions(tmp_path))


DRAWN = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["u1", "u2", "u3"]), st.integers(0, 3 * DAY - 1)),
    min_size=1,
    max_size=40,
)


@settings(max_examples=60)
@given(DRAWN, st.integers(1, 4))
@example([("a", "u1", 2 * DAY), ("b", "u1", 2 * DAY), ("b", "u2", DAY)], 1)
def test_an_impression_has_one_click_and_knows_nothing_of_what_comes_after(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[str, str, int]], negatives: int
) -> None:
    drawn = sorted(drawn, key=lambda each: each[2])
    folder = tmp_path_factory.mktemp("adressa")
    events = [event(article, user=user, at=at) for article, user, at in drawn]
    if (drawn[-1][2] // DAY) - (drawn[0][2] // DAY) < 1:
        return
    for made in impressions(read(folder, events, negatives=negatives)):
        now = int((made["time"] - datetime(2017, 1, 1)).total_seconds())
        assert sum(made["labels"]) == 1
        assert len(set(made["candidates"])) == len(made["candidates"]) <= negatives + 1
        assert made["click"] not in made["history"]
        opened = {article for article, user, at in drawn if user == made["user"] and at <= now}
        assert set(made["history"]) <= opened
        shown = {article for article, _, at in drawn if at < now}
        opened_before = {article for article, user, at in drawn if user == made["user"] and at < now}
        # What the user opens in the very second of the click may come after it.
        assert set(made["candidates"]) - {made["click"]} <= shown - opened_before
