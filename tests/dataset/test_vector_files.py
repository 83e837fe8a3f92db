"""Vector files are input like any other: read strictly, and refused with file, row and remedy."""

import io
from contextlib import suppress
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genre.dataset import read_vectors
from genre.errors import UsageError

MATRIX = np.array([[0.5, 1.5], [2.5, 3.5]], dtype=np.float32)
FLOATS = pl.List(pl.Float32)


def parquet(
    folder: Path, ids: object = ("N1", "N2"), vectors: object = ((0.5, 1.5), (2.5, 3.5)), **types: object
) -> Path:
    path = folder / "cover.parquet"
    table = {
        "id": pl.Series(ids, dtype=types.get("id", pl.String)),
        "vector": pl.Series(vectors, dtype=types.get("vector", FLOATS)),
    }
    pl.DataFrame(table).write_parquet(path)
    return path


def numpy_file(folder: Path, matrix: np.ndarray = MATRIX, ids: str | None = "N1\nN2\n") -> Path:
    path = folder / "cover.npy"
    np.save(path, matrix)
    if ids is not None:
        (folder / "cover.ids.txt").write_text(ids, encoding="utf-8")
    return path


# -- what is read -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [pl.List(pl.Float32), pl.List(pl.Float64), pl.Array(pl.Float32, 2)], ids=str)
def test_parquet_holds_lists_or_arrays_of_floats(tmp_path: Path, dtype: pl.DataType) -> None:
    ids, matrix = read_vectors(parquet(tmp_path, vector=dtype))
    assert ids == ["N1", "N2"]
    assert matrix.dtype == np.float32
    assert np.array_equal(matrix, MATRIX)


def test_other_columns_of_parquet_are_not_read(tmp_path: Path) -> None:
    path = parquet(tmp_path)
    pl.read_parquet(path).with_columns(url=pl.lit("x")).write_parquet(path)
    assert read_vectors(path)[0] == ["N1", "N2"]


def test_a_file_with_brackets_and_stars_in_its_path_is_a_file_like_others(tmp_path: Path) -> None:
    (tmp_path / "[v1]").mkdir()
    for path in (parquet(tmp_path), numpy_file(tmp_path)):
        renamed = path.rename(tmp_path / "[v1]" / f"cover*[2]{path.suffix}")
        (tmp_path / "[v1]" / "cover*[2].ids.txt").write_text("N1\nN2\n")
        assert read_vectors(renamed)[0] == ["N1", "N2"]


@pytest.mark.parametrize("dtype", ["<f2", "<f4", ">f4", "<f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_matrix_of_any_float_type_and_order_is_read(tmp_path: Path, dtype: str, order: str) -> None:
    ids, matrix = read_vectors(numpy_file(tmp_path, np.asarray(MATRIX.astype(dtype), order=order)))
    assert ids == ["N1", "N2"]
    assert matrix.dtype == np.float32
    assert np.array_equal(matrix, MATRIX)


@pytest.mark.parametrize("text", ["N1\nN2", "N1\nN2\n", "N1\r\nN2\r\n", "\ufeffN1\nN2\n"])
def test_ids_are_read_with_the_line_ends_of_any_system(tmp_path: Path, text: str) -> None:
    assert read_vectors(numpy_file(tmp_path, ids=text))[0] == ["N1", "N2"]


# -- what is refused --------------------------------------------------------------------------------------------


def pickled(folder: Path) -> Path:
    path = numpy_file(folder)
    np.save(path, np.array([["a"], [None]], dtype=object), allow_pickle=True)
    return path


def archive(folder: Path) -> Path:
    path = numpy_file(folder)
    with path.open("wb") as file:
        np.savez(file, MATRIX)
    return path


def promising_more(folder: Path) -> Path:
    """A header of a petabyte."""
    path = numpy_file(folder)
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<f4", "fortran_order": False, "shape": (1 << 40, 256)})
    path.write_bytes(buffer.getvalue())
    return path


def renamed(folder: Path) -> Path:
    return parquet(folder).rename(folder / "cover.csv")


def without_column(folder: Path) -> Path:
    path = parquet(folder)
    pl.read_parquet(path).rename({"vector": "embedding"}).write_parquet(path)
    return path


def noise(folder: Path) -> Path:
    (folder / "cover.parquet").write_bytes(b"PAR1 no table")
    return folder / "cover.parquet"


INTS = {"vectors": ((1, 2), (3, 4)), "vector": pl.List(pl.Int64)}
MISTAKES = {
    "a missing matrix": (lambda f: f / "cover.npy", ["cover.npy", "cannot be read"]),
    "a missing table": (lambda f: f / "cover.parquet", ["cover.parquet", "cannot be read"]),
    "another kind of file": (renamed, ["cover.csv", "'.csv'", ".parquet or .npy"]),
    "no Parquet": (noise, ["cover.parquet", "cannot be read"]),
    "no such column": (without_column, ["no column 'vector' among id, embedding"]),
    "numbers as ids": (lambda f: parquet(f, (1, 2), id=pl.Int64), ["`id` holds Int64", "as texts"]),
    "lists of whole numbers": (lambda f: parquet(f, **INTS), ["`vector` holds List(Int64)", "floats"]),
    "no lists": (lambda f: parquet(f, vectors=(1.0, 2.0), vector=pl.Float32), ["`vector` holds Float32"]),
    "a missing id": (lambda f: parquet(f, ("N1", None)), ["row 2 (id None) has no id"]),
    "a missing vector": (lambda f: parquet(f, vectors=((1.0,), None)), ["row 2 (id 'N2') has no vector"]),
    "a missing number": (lambda f: parquet(f, vectors=((1.0,), (None,))), ["row 2 (id 'N2')", "missing numbers"]),
    "another width": (lambda f: parquet(f, vectors=((1.0,), (1.0, 2.0))), ["row 2 (id 'N2')", "another width"]),
    "no width": (lambda f: parquet(f, vectors=((), ())), ["shape (2, 0)"]),
    "no row": (lambda f: parquet(f, (), ()), ["holds no vectors"]),
    "a repeated id": (lambda f: parquet(f, ("N1", "N1")), ["cover.parquet", "row 2: the id 'N1' stands in row 1"]),
    "a NaN": (lambda f: parquet(f, vectors=((1.0,), (float("nan"),))), ["row 2", "'N2' holds nan", "finite"]),
    "an infinite number": (
        lambda f: numpy_file(f, np.array([[np.inf], [0.0]])),
        ["cover.npy", "row 1: the vector of 'N1' holds inf"],
    ),
    "whole numbers": (lambda f: numpy_file(f, np.ones((2, 2), dtype=np.int32)), ["of type int32"]),
    "a cube": (lambda f: numpy_file(f, np.ones((2, 2, 2), dtype=np.float32)), ["shape (2, 2, 2)"]),
    "an object": (pickled, ["cover.npy", "cannot be read", "without objects"]),
    "an archive": (archive, ["cover.npy", "cannot be read"]),
    "a header that promises more": (promising_more, ["cover.npy", "cannot be read"]),
    "no file of ids": (lambda f: numpy_file(f, ids=None), ["cover.ids.txt", "one id a line"]),
    "an empty line": (lambda f: numpy_file(f, ids="N1\n\nN2\n"), ["cover.ids.txt:2", "'' is not an id"]),
    "blanks around an id": (lambda f: numpy_file(f, ids="N1\nN2 \n"), ["cover.ids.txt:2", "'N2 ' is not an id"]),
    "too few ids": (lambda f: numpy_file(f, ids="N1\n"), ["1 ids and 2 vectors"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_file_is_an_error_that_says_what_to_do(tmp_path: Path, mistake: str) -> None:
    make, expected = MISTAKES[mistake]
    with pytest.raises(UsageError) as caught:
        read_vectors(make(tmp_path))
    for text in expected:
        assert text in str(caught.value)
    assert caught.value.remedy
    assert str(tmp_path) in str(caught.value.where)


def test_ids_that_are_not_utf8_are_an_error(tmp_path: Path) -> None:
    path = numpy_file(tmp_path)
    (tmp_path / "cover.ids.txt").write_bytes(b"N1\n\xff\n")
    with pytest.raises(UsageError, match="not UTF-8"):
        read_vectors(path)


def _spoilt(whole: bytes) -> st.SearchStrategy[bytes]:
    """The bytes of a good file with some replaced, or cut off."""
    change = st.tuples(st.integers(0, min(len(whole), 128) - 1), st.integers(0, 255))

    def apply(changes: list[tuple[int, int]], end: int) -> bytes:
        spoilt = bytearray(whole)
        for place, value in changes:
            spoilt[place] = value
        return bytes(spoilt[:end])

    return st.builds(apply, st.lists(change, max_size=6), st.integers(0, len(whole)))


def _saved() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, MATRIX)
    return buffer.getvalue()


@pytest.mark.filterwarnings("ignore")  # NumPy warns of odd headers, such as those of Python 2
@given(_spoilt(_saved()) | st.binary(max_size=200))
def test_a_spoilt_matrix_is_refused_or_read_as_finite_floats(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = numpy_file(tmp_path_factory.mktemp("spoilt"))
    path.write_bytes(data)
    with suppress(UsageError):
        ids, matrix = read_vectors(path)
        assert len(ids) == len(matrix) == 2
        assert np.isfinite(matrix).all()
