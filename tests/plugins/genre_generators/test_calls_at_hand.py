"""Workers have more calls at hand than may be in flight, and send no more: real processes and a real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import attrs
import pytest
from servers import ChatServer, Reply, Request
from worker_outcomes import PROMPT

from genre.generation import AnswerStore, Engine, Limits, Routing
from genre.parts import HoldsCalls, Message, Prompt
from genre_generators.openai_compatible import OpenAICompatibleGenerator, OpenAICompatibleOptions


def asking(words: str) -> Prompt:
    return attrs.evolve(PROMPT, messages=(Message("user", words),), schema=None)


def echo(request: Request) -> Reply:
    return Reply.answer(request.user_text)


@asynccontextmanager
async def opened(server: ChatServer, workers: int) -> AsyncIterator[OpenAICompatibleGenerator]:
    generator = OpenAICompatibleGenerator(OpenAICompatibleOptions(server.base_url, "small", workers=workers))
    try:
        yield generator
    finally:
        await generator.aclose()


@pytest.mark.parametrize(("workers", "concurrency"), [(1, 16), (2, 17), (3, 2)])
def test_the_server_sees_as_many_calls_at_once_as_may_be_in_flight(
    workers: int, concurrency: int, tmp_path: Path
) -> None:
    async def answers(server: ChatServer, store: AnswerStore) -> list[str]:
        async with opened(server, workers) as generator:
            routing = Routing.to(generator, Limits(concurrency=concurrency), "small")
            asked = Engine(store).answers((asking(str(number)) for number in range(200)), routing)
            return [item.answer.completion.text async for item in asked if item.answer]

    with ChatServer(echo, latency=0.02) as server, closing(AnswerStore(tmp_path / "answers.sqlite")) as store:
        assert asyncio.run(answers(server, store)) == [str(number) for number in range(200)]
    assert server.most_in_flight == concurrency
    assert len(server.requests) == 200


def test_a_worker_has_the_next_calls_at_hand_and_this_process_has_none() -> None:
    async def at_hand(workers: int) -> int:
        with ChatServer() as server:
            async with opened(server, workers) as generator:
                assert isinstance(generator, HoldsCalls)
                return generator.keep_to(64)

    assert [asyncio.run(at_hand(workers)) for workers in (0, 1, 2)] == [0, 8, 8]


def test_a_call_at_hand_that_is_cancelled_is_never_sent() -> None:
    async def scenario(server: ChatServer) -> list[str]:
        async with opened(server, 1) as generator:
            generator.keep_to(1)
            calls = [asyncio.create_task(generator.complete(asking(str(number)))) for number in range(3)]
            while not server.requests:
                await asyncio.sleep(0.001)
            calls[1].cancel()
            return [(await calls[number]).text for number in (0, 2)]

    with ChatServer(echo, latency=0.1) as server:
        assert asyncio.run(scenario(server)) == ["0", "2"]
        assert [request.user_text for request in server.requests] == ["0", "2"]
