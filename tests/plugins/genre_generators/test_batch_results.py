"""Results that make no sense: a prompt gets its own answer or a typed error, and nothing else happens."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from batch_calls import Maker, anthropic, ask, both, prompt
from batch_server import BatchServer, Outcome, Submitted, anthropic_line, openai_line
from hypothesis import given
from hypothesis import strategies as st
from servers import Reply

from genre.options import Secret
from genre.parts import Completion, GenerationError, Transient
from genre_generators.anthropic_messages import read_error, read_message
from genre_generators.batch_http import MAX_REPLY_BYTES
from genre_generators.openai_batch_replies import read_outcome, read_status

LINES = {"openai": openai_line, "anthropic": anthropic_line}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


def lines_of(batch: Submitted, text: str = "good") -> list[bytes]:
    return [LINES[batch.protocol](key, Outcome(text)) for key in batch.requests]


@both
def test_lines_with_unknown_or_repeated_ids_change_nothing(make: Maker, tmp_path: Path) -> None:
    def results(batch: Submitted) -> bytes:
        wrong = [LINES[batch.protocol](key, Outcome("wrong")) for key in ("", "../etc/passwd", "f" * 40)]
        return b"".join([*wrong, *lines_of(batch), *lines_of(batch, "again")])

    with BatchServer() as server:
        server.results = results
        answers = ask(make(server, tmp_path), prompt(0), prompt(1))
    assert [answer.text for answer in answers] == ["good", "good"]


@both
def test_a_key_that_is_repeated_in_other_spellings_is_not_stored(
    make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-very/secret")

    def results(batch: Submitted) -> bytes:
        return b"".join(lines_of(batch, "I was sent sk-very/secret")).replace(b"-very/", b"\\u002dvery\\/")

    with BatchServer() as server:
        server.results = results
        [answer] = ask(make(server, tmp_path, api_key=Secret("MY_KEY")), prompt())
    assert answer.text == "I was sent ***"


@both
def test_broken_lines_are_passed_over(make: Maker, tmp_path: Path) -> None:
    broken = [b"", b"{", b"null", b"[1]", b'{"custom_id": 7}', b'{"custom_id": "x"}', b"\xff\xfe", b"[" * 100_000]

    def results(batch: Submitted) -> bytes:
        return b"\r\n".join([*broken, *(line.strip() for line in lines_of(batch))])

    with BatchServer() as server:
        server.results = results
        [answer] = ask(make(server, tmp_path), prompt())
    assert answer.text == "good"


@both
def test_a_prompt_whose_line_is_missing_may_have_been_paid(make: Maker, tmp_path: Path) -> None:
    with BatchServer() as server:
        server.results = lambda batch: lines_of(batch)[0]
        answer, error = ask(make(server, tmp_path), prompt(0), prompt(1))
    assert isinstance(answer, Completion)
    assert type(error) is Transient
    assert error.may_be_billed


@both
def test_a_line_of_megabytes_is_not_read(make: Maker, tmp_path: Path) -> None:
    def results(batch: Submitted) -> bytes:
        first, second = batch.requests
        huge = LINES[batch.protocol](first, Outcome("x" * (2 * MAX_REPLY_BYTES)))
        return huge + LINES[batch.protocol](second, Outcome("good"))

    with BatchServer() as server:
        server.results = results
        error, answer = ask(make(server, tmp_path), prompt(0), prompt(1))
    assert type(error) is Transient
    assert answer.text == "good"


@both
def test_lines_that_never_end_are_not_read_to_their_end(make: Maker, tmp_path: Path) -> None:
    lines = b"".join(line("f" * 40, Outcome()) * 2_000 for line in LINES.values())
    endless = Reply(200, lines, manner="stall")
    with BatchServer() as server:
        server.intercept = lambda _, path: endless if "answers-of" in path or "results" in path else None
        server.results = lambda _: b""
        [error] = ask(make(server, tmp_path), prompt())
    assert type(error) is Transient


@both
@pytest.mark.parametrize("name", ["../../files", "a/b", "", "x" * 300, "a\nb", 7, None])
def test_an_id_that_is_none_reaches_no_address(make: Maker, name: object, tmp_path: Path) -> None:
    with BatchServer() as server:
        server.intercept = lambda method, _: (
            Reply.of({"id": name, "status": "completed", "processing_status": "ended"}) if method == "POST" else None
        )
        [error] = ask(make(server, tmp_path), prompt())
        paths = {path for method, path in server.calls if method == "GET"}
    assert type(error) is Transient
    assert paths <= {"/v1/batches", "/v1/messages/batches"}


@both
def test_a_status_of_megabytes_is_not_read(make: Maker, tmp_path: Path) -> None:
    huge = iter([Reply(200, b" " * (MAX_REPLY_BYTES + 1))])
    with BatchServer() as server:
        server.intercept = lambda method, path: next(huge, None) if method == "GET" and "_0" in path else None
        [answer] = ask(make(server, tmp_path), prompt())
    assert isinstance(answer, Completion)


@both
def test_no_redirect_is_followed(make: Maker, tmp_path: Path) -> None:
    with BatchServer() as server, BatchServer() as elsewhere:
        away = Reply(302, headers={"Location": f"{elsewhere.base_url}/batches"})
        server.intercept = lambda *_: away
        [error] = ask(make(server, tmp_path), prompt())
        assert not elsewhere.calls
    assert isinstance(error, GenerationError)


@given(JSON, st.integers(-1, 600))
def test_any_line_is_an_answer_or_a_typed_error(value: object, status: int) -> None:
    line = json.loads(json.dumps({"response": {"status_code": status, "body": value}, "error": value}))
    assert isinstance(read_outcome(line, "m"), Completion | GenerationError)
    assert isinstance(read_outcome({"response": line["error"]}, "m"), Completion | GenerationError)
    assert isinstance(read_error({"error": line["error"]}), GenerationError)


@given(
    st.dictionaries(st.sampled_from(["content", "stop_reason", "usage", "model"]), JSON | st.just([{"type": "text"}]))
)
def test_any_message_is_an_answer_or_a_typed_error(message: dict[str, object]) -> None:
    with suppress(GenerationError):
        assert isinstance(read_message(json.loads(json.dumps(message)), "m"), Completion)


@given(st.dictionaries(st.sampled_from(["status", "errors", "request_counts"]), JSON), st.sampled_from(["failed", "x"]))
def test_any_status_is_one(reply: dict[str, object], state: str) -> None:
    status = read_status(json.loads(json.dumps({**reply, "id": "batch_1"})))
    assert status.batch == "batch_1"
    assert read_status(json.loads(json.dumps({**reply, "id": "batch_1", "status": state}))).ended == (state == "failed")


def test_the_key_goes_to_no_address_that_a_server_names(tmp_path: Path) -> None:
    with BatchServer() as server:
        ask(anthropic(server, tmp_path), prompt())
        assert [path for _, path in server.calls if "results" in path] == ["/v1/messages/batches/msgbatch_0/results"]
