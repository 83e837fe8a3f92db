"""What the generator `headlines` makes of the service's replies."""

import asyncio
import json
from collections.abc import Mapping

import pytest
from genre.options import Secret
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
)
from service import SERVICE

from genre_headlines import generator

TEXT: Mapping[str, Json] = {"type": "object", "properties": {"title": {"type": "string", "maxLength": 8}}}
NUMBER: Mapping[str, Json] = {"type": "object", "properties": {"year": {"type": "integer"}}}


def ask(question: str, schema: Mapping[str, Json] | None = None, *, address: str = SERVICE.address) -> Completion:
    prompt = Prompt("task", "N1", 0, (Message("user", question),), Sampling(max_tokens=50), schema)

    async def once() -> Completion:
        made = generator.HeadlinesGenerator(
            generator.HeadlinesGeneratorOptions(address, Secret("HEADLINES_KEY"), longest=20)
        )
        try:
            return await made.complete(prompt)
        finally:
            await made.aclose()

    return asyncio.run(once())


def test_a_headline_comes_with_the_name_of_what_made_it() -> None:
    assert ask("Rain in Paris\nfor days on end") == Completion("Rain in Paris for da", model="headlines-2")


def test_a_schema_s_text_is_no_longer_than_it_may_be() -> None:
    assert json.loads(ask("Rain in Paris", TEXT).text) == {"title": "Rain in "}


def test_a_schema_that_asks_for_a_number_is_refused_before_the_service_is_asked() -> None:
    with pytest.raises(Refused, match="year"):
        ask("Rain", NUMBER, address="http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, Fatal), (403, Fatal), (408, Transient), (422, Refused), (500, Transient), (503, Transient), (302, Refused)],
)
def test_each_status_is_a_typed_error(status: int, error: type[GenerationError]) -> None:
    SERVICE.scripted.append((status, {}, b""))
    with pytest.raises(error):
        ask("Rain")


@pytest.mark.parametrize(
    ("header", "seconds"), [({"Retry-After": "7"}, 7.0), ({"Retry-After": "soon"}, None), ({}, None)]
)
def test_a_service_that_asks_for_fewer_calls_says_when(header: Mapping[str, str], seconds: float | None) -> None:
    SERVICE.scripted.append((429, header, b""))
    with pytest.raises(RateLimited) as caught:
        ask("Rain")
    assert caught.value.retry_after == seconds


def test_a_long_reply_is_read_to_its_end() -> None:
    SERVICE.scripted.append((200, {}, json.dumps({"more": "x" * 60_000, "headline": "Rain", "engine": "e"}).encode()))
    assert ask("Rain").text == "Rain"


@pytest.mark.parametrize(
    "body", [b"", b"[1]", b'{"headline": ""}', b'{"headline": 1, "engine": "e"}', b"[" * 60_000, b"1" * 2_000_000]
)
def test_a_reply_without_a_headline_may_come_right(body: bytes) -> None:
    SERVICE.scripted.append((200, {}, body))
    with pytest.raises(Transient) as caught:
        ask("Rain")
    assert caught.value.may_be_billed


def test_a_service_that_is_not_there_may_come_back() -> None:
    with pytest.raises(Transient):
        ask("Rain", address="http://127.0.0.1:9")
