"""Both HTTP generators against a real loopback server: what they send, what they read, and every error's type."""

import asyncio
import json
import socket
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from servers import ChatServer, Reply

from genre.errors import UsageError
from genre.options import Secret, structure
from genre.parts import (
    Completion,
    Fatal,
    GenerationError,
    Json,
    Message,
    Prompt,
    RateLimited,
    Refused,
    Sampling,
    Transient,
    Usage,
)
from genre_generators.litellm_provider import LiteLLMGenerator, LiteLLMOptions
from genre_generators.openai_compatible import OpenAICompatibleGenerator
from genre_generators.openai_compatible_options import OpenAICompatibleOptions

KEY = "sk-very-secret-0123456789"
SCHEMA: dict[str, Json] = {
    "type": "object",
    "properties": {"title": {"type": "string", "maxLength": 20}},
    "required": ["title"],
    "additionalProperties": False,
}
PROMPT = Prompt(
    task="t",
    subject="N1",
    draw=3,
    messages=(Message("system", "You are brief."), Message("user", "A title, please.")),
    sampling=Sampling(max_tokens=33, temperature=0.25, top_p=0.5),
    schema=SCHEMA,
)
Maker = Callable[..., OpenAICompatibleGenerator | LiteLLMGenerator]


def openai_compatible(base_url: str, **options: Any) -> OpenAICompatibleGenerator:
    return OpenAICompatibleGenerator(OpenAICompatibleOptions(base_url=base_url, model="small", **options))


def litellm(base_url: str, **options: Any) -> LiteLLMGenerator:
    return LiteLLMGenerator(LiteLLMOptions(model="openai/small", api_base=base_url, **options))


both = pytest.mark.parametrize("make", [openai_compatible, litellm])


def ask(generator: OpenAICompatibleGenerator | LiteLLMGenerator, prompt: Prompt = PROMPT) -> Completion:
    async def once() -> Completion:
        try:
            return await generator.complete(prompt)
        finally:
            await generator.aclose()

    return asyncio.run(once())


def failure(make: Maker, reply: Reply, **options: Any) -> GenerationError:
    with ChatServer(lambda _: reply) as server:
        with pytest.raises(GenerationError) as caught:
            ask(make(server.base_url, **options))
        assert len(server.requests) == 1, "retries are the engine's"
    return caught.value


@both
def test_an_answer_comes_with_its_model_and_its_tokens(make: Maker) -> None:
    with ChatServer(lambda _: Reply.answer('{"title": "Grüße"}')) as server:
        completion = ask(make(server.base_url))
    assert completion.text == '{"title": "Grüße"}'
    assert completion.model.endswith("scripted-1")
    assert completion.finish == "stop"
    assert completion.usage == Usage(7, 3)


@both
def test_the_request_says_all_that_the_prompt_says(make: Maker) -> None:
    with ChatServer() as server:
        ask(make(server.base_url, parameters={"presence_penalty": 0.5}))
    body = server.requests[0].body
    assert body["messages"] == [
        {"role": "system", "content": "You are brief."},
        {"role": "user", "content": "A title, please."},
    ]
    expected = {"model": "small", "max_tokens": 33, "temperature": 0.25, "top_p": 0.5, "seed": 3}
    assert {name: body[name] for name in expected} == expected
    assert body["presence_penalty"] == 0.5
    assert body["response_format"]["type"] == "json_schema"
    assert body["response_format"]["json_schema"]["strict"] is True
    assert body["response_format"]["json_schema"]["schema"] == SCHEMA


@both
def test_the_key_goes_into_the_authorization_header_only(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)
    with ChatServer() as server:
        generator = make(server.base_url, api_key=Secret("TEST_KEY"))
        ask(generator)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in json.dumps(server.requests[0].body)
    assert KEY not in repr(generator) + repr(generator.identity)


@both
def test_a_key_of_another_provider_is_not_sent_to_a_server_of_ones_own(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ChatServer() as server:
        ask(make(server.base_url))
    assert KEY not in json.dumps(dict(server.requests[0].headers))


ERRORS: list[tuple[str, Reply, type[GenerationError]]] = [
    ("unauthorized", Reply.error(401), Fatal),
    ("no credit", Reply.error(402), Fatal),
    ("forbidden", Reply.error(403), Fatal),
    ("no such model", Reply.error(404), Fatal),
    ("no time", Reply.error(408), Transient),
    ("bad request", Reply.error(400), Refused),
    ("too large", Reply.error(413), Refused),
    ("unprocessable", Reply.error(422), Refused),
    ("rate limit", Reply.error(429), RateLimited),
    ("server error", Reply.error(500), Transient),
    ("bad gateway", Reply(502, b"<html>bad gateway</html>", {"Content-Type": "text/html"}), Transient),
    ("unavailable", Reply.error(503), Transient),
    ("gateway time-out", Reply.error(504), Transient),
    ("overloaded", Reply.error(529), Transient),
    ("dropped", Reply(manner="drop"), Transient),
    ("truncated", Reply(body=b'{"choices": [', manner="truncate"), Transient),
    ("not JSON", Reply(body=b"<html>", headers={"Content-Type": "text/html"}), Transient),
    ("no choices", Reply.of({"object": "chat.completion", "choices": []}), Transient),
    ("choices missing", Reply.of({"object": "chat.completion"}), Transient),
    ("empty", Reply.answer(""), Transient),
    ("null", Reply.answer(None), Transient),
    ("filtered", Reply.answer("", finish="content_filter"), Refused),
    ("refusal", Reply.answer(None, refusal="I will not"), Refused),
]


@both
@pytest.mark.parametrize(("reply", "kind"), [pytest.param(r, k, id=name) for name, r, k in ERRORS])
def test_each_failure_has_its_type(make: Maker, reply: Reply, kind: type[GenerationError]) -> None:
    assert type(failure(make, reply)) is kind


@both
def test_a_slow_server_is_a_transient_failure(make: Maker) -> None:
    error = failure(make, Reply(manner="hang"), timeout=0.3)
    assert isinstance(error, Transient)
    assert "0.3 s" in str(error)


@both
def test_nobody_listening_is_a_transient_failure(make: Maker) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        with pytest.raises(Transient):
            ask(make(f"http://127.0.0.1:{taken.getsockname()[1]}/v1"))


@both
def test_a_rate_limit_says_how_long_to_wait(make: Maker) -> None:
    error = failure(make, Reply.error(429, Retry_After="2.5"))
    assert isinstance(error, RateLimited)
    assert error.retry_after == 2.5


@both
def test_an_account_without_credit_is_no_rate_limit(make: Maker) -> None:
    body = {"error": {"message": "You exceeded your quota", "type": "insufficient_quota", "code": "insufficient_quota"}}
    assert isinstance(failure(make, Reply.of(body, 429)), Fatal)


@both
def test_an_answer_that_was_cut_off_says_so(make: Maker) -> None:
    with ChatServer(lambda _: Reply.answer('{"title": "Gr', finish="length")) as server:
        assert ask(make(server.base_url)).finish == "length"


@both
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_no_error_holds_the_key_even_when_the_server_repeats_it(
    make: Maker, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)
    error = failure(make, Reply.error(status, f"bad key {KEY} " + "x" * 300), api_key=Secret("TEST_KEY"))
    chain = repr(error) + str(error) + repr(error.__cause__)
    assert KEY not in chain
    assert KEY[:12] not in chain


@both
def test_an_error_sent_with_status_200_holds_no_key_either(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)
    reply = Reply.of({"error": {"code": 400, "message": f"no such key {KEY}"}})
    assert KEY not in str(failure(make, reply, api_key=Secret("TEST_KEY")))


@both
@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_named_by_its_variable(make: Maker, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)
    assert "TEST_KEY" in str(failure(make, Reply.error(status), api_key=Secret("TEST_KEY")))


@both
def test_a_missing_key_is_an_error_before_any_call(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_KEY", raising=False)
    with pytest.raises(UsageError, match="TEST_KEY"):
        make("http://127.0.0.1:1/v1", api_key=Secret("TEST_KEY"))


@both
def test_connections_are_reused_and_all_calls_are_let_through(make: Maker) -> None:
    async def many(generator: OpenAICompatibleGenerator | LiteLLMGenerator) -> list[Completion]:
        try:
            return await asyncio.gather(*(generator.complete(PROMPT) for _ in range(20)))
        finally:
            await generator.aclose()

    with ChatServer(lambda request: Reply.answer(f"answer {request.number}")) as server:
        texts = {completion.text for completion in asyncio.run(many(make(server.base_url)))}
    assert len(texts) == 20


@both
def test_a_closed_generator_opens_again_on_another_loop(make: Maker) -> None:
    with ChatServer() as server:
        generator = make(server.base_url)
        assert ask(generator).text == ask(generator).text == "hello"


@both
@pytest.mark.parametrize("change", [{"parameters": {"top_k": 5}}, {"parameters": {"top_k": 6}}, {"structured": None}])
def test_whatever_changes_answers_changes_the_identity(make: Maker, change: Mapping[str, Any]) -> None:
    if "structured" in change:
        change = {"structured": "none" if make is openai_compatible else "never"}
    assert make("http://127.0.0.1:1/v1", **change).identity != make("http://127.0.0.1:1/v1").identity


def test_an_identity_names_the_server() -> None:
    assert openai_compatible("http://127.0.0.1:1/v1/").identity.endpoint == "http://127.0.0.1:1/v1"
    assert LiteLLMGenerator(LiteLLMOptions(model="openai/gpt-4o")).identity.endpoint == "openai"


@pytest.mark.parametrize(
    ("cls", "options", "words"),
    [
        (OpenAICompatibleOptions, {"base_url": "localhost:8000"}, "base_url"),
        (OpenAICompatibleOptions, {"base_url": f"http://me:{KEY}@host/v1"}, "password"),
        (OpenAICompatibleOptions, {"base_url": f"http://host/v1?key={KEY}"}, "query"),
        (OpenAICompatibleOptions, {"base_url": "http://h/v1", "parameters": {"seed": 3}}, "seed"),
        (OpenAICompatibleOptions, {"base_url": "http://h/v1", "parameters": {"api_key": KEY}}, "secret"),
        (OpenAICompatibleOptions, {"base_url": "http://h/v1", "parameters": {"a": [{"Authorization": KEY}]}}, "secret"),
        (LiteLLMOptions, {"parameters": {"extra_headers": {"X": KEY}}}, "extra_headers looks like a secret"),
        (LiteLLMOptions, {"parameters": {"aws_session_token": KEY}}, "secret"),
        (OpenAICompatibleOptions, {"base_url": "http://h/v1", "timeout": 0}, "timeout"),
        (LiteLLMOptions, {"parameters": {"max_tokens": 3}}, "max_tokens"),
        (LiteLLMOptions, {"api_base": "nowhere"}, "api_base"),
    ],
)
def test_a_wrong_option_is_an_error_that_names_it_and_no_key(cls: type, options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        structure({"model": "m", **options}, cls, "generators.mine")
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(("structured", "sent"), [("json_object", {"type": "json_object"}), ("none", None)])
def test_a_server_without_schemas_is_asked_for_less(structured: str, sent: object) -> None:
    with ChatServer() as server:
        ask(openai_compatible(server.base_url, structured=structured))
    assert server.requests[0].body.get("response_format") == sent


def test_an_oversized_reply_is_refused_before_it_is_read_whole() -> None:
    assert isinstance(failure(openai_compatible, Reply.answer("x" * (5 << 20))), Refused)


def test_a_redirect_is_not_followed() -> None:
    error = failure(openai_compatible, Reply(307, headers={"Location": "http://127.0.0.1:1/v1/chat/completions"}))
    assert isinstance(error, Fatal)


def test_an_error_inside_a_reply_of_status_200_has_its_own_type() -> None:
    error = failure(openai_compatible, Reply.of({"error": {"code": 429, "message": "busy upstream"}}))
    assert isinstance(error, RateLimited)


def test_control_characters_of_a_server_do_not_reach_the_terminal() -> None:
    error = failure(openai_compatible, Reply.error(400, "red \x1b[31m\r\nnew line"))
    assert str(error) == "the server answered 400: red [31m new line"


def test_litellm_without_the_providers_key_is_an_error_before_any_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(UsageError, match="OPENAI_API_KEY"):
        ask(LiteLLMGenerator(LiteLLMOptions(model="openai/gpt-4o-mini")))


def test_litellm_without_a_provider_is_an_error_that_says_how_to_name_one() -> None:
    with pytest.raises(UsageError, match="PROVIDER/MODEL"):
        ask(LiteLLMGenerator(LiteLLMOptions(model="nonsense")))


def test_litellm_told_to_send_no_schema_sends_none() -> None:
    with ChatServer() as server:
        ask(litellm(server.base_url, structured="never"))
    assert "response_format" not in server.requests[0].body
