"""Reading what strangers' servers send."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genre.parts import Completion, GenerationError
from genre_generators.chat_errors import seconds_to_wait
from genre_generators.chat_replies import read_body

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("3", 3.0),
        (" 0.5 ", 0.5),
        ("-3", None),
        ("nan", None),
        ("soon", None),
        ("", None),
        ("²", None),
        (format_datetime(datetime.fromtimestamp(NOW + 90, UTC), usegmt=True), 90.0),
        (format_datetime(datetime.fromtimestamp(NOW - 90, UTC), usegmt=True), 0.0),
        ("Wed, 99 Foo 2026 07:28:00 GMT", None),
    ],
)
def test_retry_after_is_read_as_seconds_and_as_a_date(value: str | None, seconds: float | None) -> None:
    assert seconds_to_wait(value, NOW) == seconds


@given(st.text())
def test_any_retry_after_is_a_wait_or_nothing(value: str) -> None:
    seconds = seconds_to_wait(value, NOW)
    assert seconds is None or seconds >= 0


replies = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["choices", "message", "content", "finish_reason", "error", "code", "usage", "model"]),
            inner,
        )
    ),
    max_leaves=12,
)


@given(replies.map(lambda value: json.dumps(value).encode()) | st.binary())
def test_any_body_is_an_answer_or_a_typed_error(body: bytes) -> None:
    with suppress(GenerationError):
        assert isinstance(read_body(body, "m"), Completion)
