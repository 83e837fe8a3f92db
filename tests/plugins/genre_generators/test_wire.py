"""Whatever comes over the wire or out of a file is read, or is a typed error: replies nearly right, and rubbish."""

import copy
import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from servers import Reply

from genre.errors import UsageError
from genre.generation.exports import export_line
from genre.generation.store import AnswerStore, StoredAnswer
from genre.parts import Completion, GenerationError
from genre_generators.anthropic_messages import read_message
from genre_generators.chat_errors import MESSAGE_LENGTH
from genre_generators.chat_replies import read_body, read_reply
from genre_generators.http_failures import Failures
from genre_generators.recordings import read_export, read_recordings

KEY: Final = "sk-very-secret-0123456789"
GOOD: Final = json.loads(Reply.answer("hello").body)
MESSAGE: Final = json.loads(Reply.anthropic("hello").body)

text = st.text(st.characters(), max_size=8)
"""With unpaired surrogates, which JSON can say and UTF-8 cannot."""
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(10**20, 10**24) | st.floats() | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of each value inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, item in inner for place in places(item, (*path, name)))]


def with_one_changed(good: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """A good reply in which one value, at any depth, is something else or is missing."""

    def change(place: tuple[Any, ...], value: Any, missing: bool) -> Any:
        if not place:
            return value
        reply = copy.deepcopy(good)
        inner: Any = reply
        for step in place[:-1]:
            inner = inner[step]
        if missing:
            del inner[place[-1]]
        else:
            inner[place[-1]] = value
        return reply

    return st.builds(change, st.sampled_from(places(good)), anything, st.booleans())


def check(completion: Completion) -> None:
    """What the engine takes for granted."""
    assert isinstance(completion.text, str)
    assert isinstance(completion.model, str)
    assert completion.model
    assert completion.finish in ("stop", "length")
    for tokens in (completion.usage.prompt_tokens, completion.usage.completion_tokens):
        assert tokens is None or (type(tokens) is int and tokens >= 0)


@pytest.mark.parametrize(("read", "good"), [(read_reply, GOOD), (read_message, MESSAGE)])
def test_a_good_reply_is_an_answer(read: Callable[..., Completion], good: Mapping[str, Any]) -> None:
    assert read(good, "m").text == "hello"


@given(with_one_changed(GOOD))
def test_a_chat_reply_that_is_wrong_in_one_place_is_an_answer_or_a_typed_error(reply: Any) -> None:
    with suppress(GenerationError):
        check(read_body(json.dumps(reply).encode(), "m"))


@given(with_one_changed(MESSAGE).filter(lambda reply: isinstance(reply, dict)))
def test_an_anthropic_reply_that_is_wrong_in_one_place_is_an_answer_or_a_typed_error(reply: Any) -> None:
    with suppress(GenerationError):
        check(read_message(reply, "m"))


@given(st.dictionaries(st.sampled_from(["choices", "error", "model", "usage", "content", "stop_reason"]), anything))
@pytest.mark.parametrize("read", [read_reply, read_message])
def test_any_object_is_an_answer_or_a_typed_error(read: Callable[..., Completion], reply: dict[str, Any]) -> None:
    with suppress(GenerationError):
        check(read(reply, "m"))


@given(st.data())
def test_a_body_in_which_some_bytes_are_others_is_an_answer_or_a_typed_error(data: st.DataObject) -> None:
    body = bytearray(Reply.answer('{"title": "Grüße"}').body)
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, min(len(body), start + 20)))
    body[start:end] = data.draw(st.binary(max_size=20))
    with suppress(GenerationError):
        check(read_body(bytes(body), "m"))


@given(
    status=st.integers(201, 599),
    retry_after=st.none() | st.text(),
    body=st.binary() | anything.map(lambda value: json.dumps({"error": value}).encode()),
    repeated=st.booleans(),
)
@example(status=429, retry_after="9" * 400, body=b"", repeated=False)
@example(status=429, retry_after="Mon, 01 Jan 0001 00:00:00 +2359", body=b"", repeated=False)
def test_any_refusal_is_a_short_typed_error_on_one_line_and_holds_no_key(
    status: int, retry_after: str | None, body: bytes, repeated: bool
) -> None:
    said = json.dumps({"error": {"message": f"the key {KEY} is bad"}}).encode() if repeated else body
    error = Failures(KEY, "MY_KEY", 3.0).of_reply(status, said, retry_after)
    assert isinstance(error, GenerationError)
    assert KEY not in str(error)
    assert str(error).isprintable()
    assert len(str(error)) < MESSAGE_LENGTH + 200


@given(reply=with_one_changed(GOOD))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_whatever_is_read_can_be_stored_and_comes_back_readable(tmp_path: Path, reply: Any) -> None:
    try:
        completion = read_body(json.dumps(reply).encode(), "m")
    except GenerationError:
        return
    answer = StoredAnswer(b"key", "failed", completion, "t", "S", 0, "g", "e", "v")
    with closing(AnswerStore(tmp_path / "answers.sqlite")) as store:
        store.put([answer])
        [stored] = store.rows()
    stored.completion.text.encode()
    assert json.loads(export_line(stored))["text"] == stored.completion.text


def refusal(read: Callable[[Sequence[Path]], object], path: Path) -> UsageError | None:
    """Why a file was not read; None when it was."""
    try:
        read([path])
    except UsageError as error:
        return error
    return None


@given(content=st.binary() | st.lists(anything).map(lambda rows: "\n".join(map(json.dumps, rows)).encode()))
@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
@pytest.mark.parametrize("read", [read_export, lambda paths: read_recordings(paths, "subject")])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_any_file_of_recordings_is_read_or_told_with_its_name(
    tmp_path: Path, read: Callable[..., Any], name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    error = refusal(read, path)
    assert error is None or name in str(error.where)


@given(cut=st.integers(0, 200), flip=st.integers(0, 200), bit=st.integers(0, 7))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_a_compressed_export_that_was_damaged_is_read_or_told_with_its_name(
    tmp_path: Path, cut: int, flip: int, bit: int
) -> None:
    answer = StoredAnswer(b"key", "ok", Completion("hello", "m"), "t", "S", 0, "g", "e", "v", question=b"q" * 20)
    content = bytearray(gzip.compress((export_line(answer) + "\n").encode()))
    content[flip % len(content)] ^= 1 << bit
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(content[: max(1, len(content) - cut)])
    error = refusal(read_export, path)
    assert error is None or "rows.jsonl.gz" in str(error.where)
