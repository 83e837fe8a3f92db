"""JSON by orjson says what the standard library's says."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genre_generators import quick_json

TEXTS = st.text(st.characters(exclude_categories=()))  # with halves of surrogate pairs
WHOLE = st.integers(-(2**63), 2**64 - 1)
SCALARS = st.none() | st.booleans() | WHOLE | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=20)


@given(VALUES)
def test_what_is_written_is_read_again_by_both(value: object) -> None:
    written = quick_json.dumps(value)
    assert b"\n" not in written
    assert quick_json.loads(written) == value
    assert json.loads(written) == value


@given(VALUES, st.booleans(), st.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_what_others_write_is_read_as_the_standard_library_reads_it(
    value: object, ensure_ascii: bool, encoding: str
) -> None:
    written = json.dumps(value, ensure_ascii=ensure_ascii).encode(encoding, "surrogatepass")
    assert quick_json.loads(written) == json.loads(written)


@given(st.binary())
def test_arbitrary_bytes_are_read_or_refused_as_the_standard_library_does(data: bytes) -> None:
    try:
        expected = json.loads(data)
    except (ValueError, RecursionError) as refusal:
        with pytest.raises(type(refusal)):
            quick_json.loads(data)
    else:
        assert repr(quick_json.loads(data)) == repr(expected)


def test_an_integer_of_more_than_64_bits_is_written_whole() -> None:
    assert quick_json.dumps([2**70]) == b"[%d]" % 2**70


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"a":' * 100_000])
def test_what_is_nested_too_deeply_is_refused(text: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        quick_json.loads(text)


def test_what_is_no_number_becomes_null() -> None:
    assert quick_json.dumps([math.nan, math.inf]) == b"[null,null]"


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        quick_json.dumps(object())
