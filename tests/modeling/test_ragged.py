import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from genre.modeling.ragged import Ragged, concatenated_ranges

lists = st.lists(st.lists(st.integers(0, 99), max_size=6), max_size=8)


def ragged(rows: list[list[int]]) -> Ragged:
    return Ragged.from_series(pl.Series(rows, dtype=pl.List(pl.UInt32)))


def rows_of(lists: Ragged) -> list[list[int]]:
    bounds = zip(lists.offsets[:-1], lists.offsets[1:], strict=True)
    return [lists.values[start:end].tolist() for start, end in bounds]


@given(lists, st.integers(0, 4))
def test_first_and_last_equal_slices(rows: list[list[int]], count: int) -> None:
    assert rows_of(ragged(rows).first(count)) == [row[:count] for row in rows]
    assert rows_of(ragged(rows).last(count)) == [row[len(row) - min(count, len(row)) :] for row in rows]


@given(lists, st.data())
def test_take_picks_lists_in_order_with_repetition(rows: list[list[int]], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=9)) if rows else []
    assert rows_of(ragged(rows).take(np.array(chosen, dtype=np.int64))) == [rows[row] for row in chosen]


@given(lists)
def test_where_keeps_empty_lists(rows: list[list[int]]) -> None:
    whole = ragged(rows)
    assert rows_of(whole.where(whole.values % 2 == 0)) == [[v for v in row if v % 2 == 0] for row in rows]


@given(lists)
def test_padded_marks_what_is_a_value(rows: list[list[int]]) -> None:
    values, mask = ragged(rows).padded()
    assert values.shape == mask.shape == (len(rows), max([1, *map(len, rows)]))
    assert [row[keep].tolist() for row, keep in zip(values, mask, strict=True)] == rows
    assert not values[~mask].any()


def test_a_null_list_is_empty() -> None:
    assert rows_of(Ragged.from_series(pl.Series([[1], None, [2, 3]], dtype=pl.List(pl.UInt8)))) == [[1], [], [2, 3]]


@given(lists)
def test_each_value_knows_its_list_and_each_list_its_length(rows: list[list[int]]) -> None:
    whole = ragged(rows)
    assert len(whole) == len(rows)
    assert whole.lengths.tolist() == [len(row) for row in rows]
    assert whole.lengths_of(np.arange(len(rows))[::-1]).tolist() == [len(row) for row in reversed(rows)]
    assert whole.rows.tolist() == [number for number, row in enumerate(rows) for _ in row]


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 5)), max_size=6))
def test_ranges_follow_one_another(ranges: list[tuple[int, int]]) -> None:
    starts, lengths = np.array(ranges, np.uint64).reshape(-1, 2).T
    expected = [value for start, length in ranges for value in range(start, start + length)]
    got = concatenated_ranges(starts, lengths.astype(np.int64))
    assert (got.tolist(), got.dtype) == (expected, np.int64)


def test_values_take_four_bytes_and_offsets_eight() -> None:
    lists = Ragged.from_lengths(np.array([1, 2, 3]), np.array([1, 2], np.int32))
    assert (lists.values.dtype, lists.offsets.dtype) == (np.int32, np.int64)
    values, mask = lists.padded()
    assert (values.dtype, mask.dtype) == (np.int32, np.bool_)
