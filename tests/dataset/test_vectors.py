"""Dense vectors of news: growth by a matrix, reading them back aligned, and what is refused."""

from pathlib import Path

import attrs
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from small_data import NEWS, small_dataset

from genre.dataset import load_dataset, save_dataset
from genre.dataset.tables import VECTOR_SCHEMA
from genre.errors import UsageError

IDS = [news[0] for news in NEWS]


def numbers(rows: int, width: int = 3) -> np.ndarray:
    """A matrix without a repeated number."""
    return np.arange(1, rows * width + 1, dtype=np.float32).reshape(rows, width) / 10


def test_vectors_come_back_at_the_positions_of_their_news() -> None:
    matrix, mask = small_dataset().with_vectors("cover", ["N5", "N2"], numbers(2)).vectors_of("cover")
    assert matrix.dtype == np.float32
    assert mask.tolist() == [False, True, False, False, True, False]
    assert np.array_equal(matrix[[4, 1]], numbers(2))
    assert not matrix[~mask].any()


@given(st.permutations(IDS), st.data())
def test_every_finite_matrix_comes_back_as_it_was(ids: list[str], data: st.DataObject) -> None:
    count, width = data.draw(st.integers(0, 6)), data.draw(st.integers(1, 4))
    matrix = data.draw(arrays(np.float32, (count, width), elements=st.floats(-1e6, 1e6, width=32)))
    dataset = small_dataset().with_vectors("cover", ids[:count], matrix)
    if not count:
        assert dataset.vector_fields == []
        return
    found, mask = dataset.vectors_of("cover")
    assert np.array_equal(found[[IDS.index(name) for name in ids[:count]]], matrix)
    assert mask.sum() == count


def test_a_data_set_without_vectors_has_no_fields_of_them() -> None:
    assert small_dataset().vector_fields == []


def test_fields_have_widths_of_their_own() -> None:
    dataset = small_dataset().with_vectors("title", IDS, numbers(6, 5)).with_vectors("cover", IDS, numbers(6, 2))
    assert dataset.vector_fields == ["cover", "title"]
    assert dataset.vectors_of("title")[0].shape == (6, 5)
    assert dataset.vectors_of("cover")[0].shape == (6, 2)


def test_a_field_can_be_given_in_parts_of_the_same_width() -> None:
    dataset = small_dataset().with_vectors("cover", IDS[:2], numbers(2)).with_vectors("cover", IDS[2:4], numbers(2))
    assert dataset.vectors_of("cover")[1].sum() == 4
    with pytest.raises(UsageError, match="width 4 are added to some of width 3"):
        dataset.with_vectors("cover", IDS[4:], numbers(2, 4))


def test_a_second_vector_of_a_news_is_an_error() -> None:
    dataset = small_dataset().with_vectors("cover", ["N1"], numbers(1))
    with pytest.raises(UsageError, match="'N1' has a vector 'cover' already"):
        dataset.with_vectors("cover", ["N2", "N1"], numbers(2))


def test_growth_leaves_the_old_data_set_as_it_was() -> None:
    dataset = small_dataset()
    grown = dataset.with_vectors("cover", IDS, numbers(6))
    assert dataset.vectors.height == 0
    assert dataset.fingerprint == small_dataset().fingerprint != grown.fingerprint


def test_unknown_news_are_left_out_and_counted_in_the_lineage() -> None:
    dataset = small_dataset().with_vectors("cover", ["N1", "X1", "X2"], numbers(3), source="covers.npy")
    assert dataset.lineage[-1].operation == "vectors"
    assert dataset.lineage[-1].details == {
        "field": "cover",
        "width": 3,
        "news": 1,
        "unknown_ids": 2,
        "source": "covers.npy",
    }


def test_generated_news_have_no_vector() -> None:
    made = pl.DataFrame([{"reader": 0, "id": "G1", "version": "r", "model": "m", "title": "made"}])
    dataset = small_dataset().with_vectors("cover", IDS, numbers(6)).with_generated_news(made)
    matrix, mask = dataset.vectors_of("cover")
    assert mask.tolist() == [True] * 6 + [False]
    assert not matrix[6].any()


def test_an_unknown_field_is_an_error_with_the_nearest() -> None:
    dataset = small_dataset().with_vectors("cover", IDS, numbers(6))
    with pytest.raises(UsageError, match="did you mean 'cover'"):
        dataset.vectors_of("covr")


def with_number(value: float) -> np.ndarray:
    matrix = numbers(3).astype(np.float64)
    matrix[1, 2] = value
    return matrix


MISTAKES = {
    "a repeated id": (["N1", "N2", "N1"], numbers(3), "row 3: the id 'N1' stands in row 1 already"),
    "an id that is no text": (["N1", 2, "N3"], numbers(3), "row 2: the id 2 is not a text"),
    "not a number": (IDS[:3], with_number(np.nan), r"row 2: the vector of 'N2' holds nan \(number 3 of it\)"),
    "infinity": (IDS[:3], with_number(-np.inf), "row 2: the vector of 'N2' holds -inf"),
    "more than 32 bits can hold": (IDS[:3], with_number(1e39), r"row 2: the vector of 'N2' holds 1e\+39"),
    "whole numbers": (IDS[:3], np.ones((3, 2), dtype=np.int64), "of type int64, and floats are expected"),
    "one row": (IDS[:3], np.ones(3, dtype=np.float32), r"have the shape \(3,\)"),
    "no width": (IDS[:3], np.ones((3, 0), dtype=np.float32), r"have the shape \(3, 0\)"),
    "too few rows": (IDS[:3], numbers(2), "3 ids and 2 vectors"),
}


@pytest.mark.parametrize(("ids", "matrix", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_wrong_row_is_an_error_that_names_it(ids: list[str], matrix: np.ndarray, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        small_dataset().with_vectors("cover", ids, matrix)


def test_a_field_without_a_name_is_an_error() -> None:
    with pytest.raises(UsageError, match="vectors need a name"):
        small_dataset().with_vectors("", IDS, numbers(6))


def test_a_table_with_vectors_of_two_widths_is_an_error_when_read() -> None:
    rows = [{"news": 0, "field": "cover", "vector": [1.0, 2.0]}, {"news": 1, "field": "cover", "vector": [1.0]}]
    dataset = attrs.evolve(small_dataset(), vectors=pl.DataFrame(rows, schema=VECTOR_SCHEMA))
    with pytest.raises(UsageError, match="widths 2 and 1"):
        dataset.vectors_of("cover")


def test_stats_count_the_news_with_each_vector() -> None:
    dataset = small_dataset().with_vectors("cover", IDS[:2], numbers(2))
    assert dataset.stats()["news_with_cover_vectors"] == 2
    assert not [name for name in small_dataset().stats() if "vectors" in name]


def test_the_fingerprint_sees_digits_after_the_point_and_not_the_order_of_the_rows() -> None:
    dataset = small_dataset().with_vectors("cover", IDS, numbers(6))
    changed = numbers(6)
    changed[3, 1] += 1 / 64
    assert small_dataset().with_vectors("cover", IDS, changed).fingerprint != dataset.fingerprint
    assert small_dataset().with_vectors("cover", IDS[::-1], numbers(6)[::-1]).fingerprint == dataset.fingerprint


def test_vectors_are_saved_and_loaded(tmp_path: Path) -> None:
    dataset = small_dataset().with_vectors("cover", IDS, numbers(6))
    save_dataset(dataset, tmp_path)
    loaded = load_dataset(tmp_path)
    assert loaded.vectors.equals(dataset.vectors)
    assert loaded.lineage == dataset.lineage
