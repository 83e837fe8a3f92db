"""Which clicks of a history encoders read: chosen by indices, and never seen by prompts or segments."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_data import small_dataset

from genre.dataset import Dataset, load_dataset, save_dataset
from genre.errors import UsageError
from genre.experiments import describe_readers
from genre.modeling import FeatureSettings, prepare_features

WARM = 1
"""Position of the reader with six clicks."""


def keeping(kept: object, reader: int = WARM, dtype: pl.DataType = pl.List(pl.Int64)) -> pl.DataFrame:  # noqa: B008
    return pl.DataFrame({"reader": [reader], "kept": pl.Series([kept], dtype=dtype)})


def synthetic(*readers: int) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"reader": reader, "id": f"G{number}", "version": "r", "model": "m", "title": f"made {number}"}
            for number, reader in enumerate(readers)
        ]
    )


def read_by_encoders(dataset: Dataset) -> list[list[int]]:
    return dataset.encoder_history.to_list()


def test_encoders_read_the_whole_history_of_a_reader_for_whom_nothing_was_chosen() -> None:
    dataset = small_dataset().with_generated_news(synthetic(0, 2, 2))
    assert read_by_encoders(dataset) == dataset.readers["history"].to_list()


def test_encoders_read_the_kept_clicks_and_then_what_rounds_appended() -> None:
    dataset = small_dataset().with_generated_news(synthetic(WARM, 0)).with_kept_history(keeping([1, 4]))
    assert read_by_encoders(dataset) == [[0, 1, 7], [1, 4, 6], [], [0, 1, 2]]


def test_news_that_are_appended_later_are_read_too() -> None:
    dataset = small_dataset().with_kept_history(keeping([5])).with_generated_news(synthetic(WARM))
    assert read_by_encoders(dataset)[WARM] == [5, 6]


@given(st.sets(st.integers(0, 5), min_size=1))
def test_every_choice_of_clicks_is_read_in_the_order_of_the_clicks(chosen: set[int]) -> None:
    dataset = small_dataset().with_kept_history(keeping(sorted(chosen)))
    assert read_by_encoders(dataset)[WARM] == sorted(chosen)


def test_a_later_choice_takes_the_place_of_an_earlier_one_and_leaves_other_readers_alone() -> None:
    dataset = small_dataset().with_kept_history(keeping([0])).with_kept_history(keeping([1], reader=0))
    assert dataset.with_kept_history(keeping([2, 3])).readers["kept"].to_list() == [[1], [2, 3], None, None]


def test_ids_clicks_segments_and_histories_stay_as_they_were() -> None:
    before = small_dataset()
    after = before.with_kept_history(keeping([2]))
    assert after.readers.drop("kept").equals(before.readers.drop("kept"))
    assert after.is_new.equals(before.is_new)
    assert before.fingerprint == small_dataset().fingerprint != after.fingerprint


def test_features_read_what_encoders_read_and_cut_it_afterwards() -> None:
    dataset = small_dataset().with_kept_history(keeping([0, 2, 4]))
    made = prepare_features(dataset, FeatureSettings(history_length=2))
    assert made.readers.history.take(np.array([WARM])).values.tolist() == [2, 4]


def test_a_choice_is_saved_and_loaded(tmp_path: Path) -> None:
    dataset = small_dataset().with_kept_history(keeping([0, 2, 4]))
    save_dataset(dataset, tmp_path)
    assert load_dataset(tmp_path).readers.equals(dataset.readers)


def test_a_description_marks_the_clicks_that_are_kept() -> None:
    dataset = small_dataset().with_generated_news(synthetic(WARM)).with_kept_history(keeping([1, 4]))
    [reader] = describe_readers(dataset, "warm")
    assert [news["kept"] for news in reader["history"]] == [False, True, False, False, True, False, True]
    for reader in describe_readers(dataset, "new"):
        assert all(news["kept"] for news in reader["history"])


MISTAKES = {
    "nothing": (keeping([]), r"'warm@\w+' would keep no click"),
    "no list": (keeping(None), "would keep no click"),
    "a null": (keeping([0, None]), "clicks without an index"),
    "an index after the clicks": (keeping([0, 6]), r"clicks that it has not: \[0, 6\] of 6 clicks"),
    "a negative index": (keeping([-1, 0]), "clicks that it has not"),
    "a click twice": (keeping([1, 1]), r"out of order, or one twice: \[1, 1\]"),
    "another order": (keeping([2, 1]), "out of order"),
    "a reader without clicks": (keeping([0], reader=2), r"'nobody@\w+' would keep clicks that it has not"),
    "a reader twice": (pl.concat([keeping([0]), keeping([1])]), "'warm@.*' stands twice"),
    "no such reader": (keeping([0], reader=4), "no reader 4"),
    "texts": (keeping(["0"], dtype=pl.List(pl.String)), "type List.String., and lists of indices"),
    "floats": (keeping([0.0], dtype=pl.List(pl.Float64)), "lists of indices are expected"),
    "no lists": (keeping(0, dtype=pl.Int64), "lists of indices are expected"),
}


@pytest.mark.parametrize(("rows", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_wrong_choice_is_an_error_that_names_the_reader(rows: pl.DataFrame, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        small_dataset().with_kept_history(rows)


def test_a_synthetic_news_cannot_be_chosen() -> None:
    dataset = small_dataset().with_generated_news(synthetic(WARM))
    with pytest.raises(UsageError, match="clicks that it has not"):
        dataset.with_kept_history(keeping([6]))
