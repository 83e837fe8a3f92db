"""Workers have more calls at hand than may be in flight, and send no more: real processes and a real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import attrs
import pytest
from servers import ChatServer, Reply, Request
from worker_outcomes import PROMPT

from genre.errors import RunError
from genre.generation import AnswerStore, Engine, Limits, Routing
from genre.parts import (
    Completion,
    Fatal,
    GenerationError,
    HoldsCalls,
    Identity,
    Message,
    Prompt,
    Refused,
    Transient,
)
from genre_generators.openai_compatible import OpenAICompatibleGenerator
from genre_generators.openai_compatible_options import OpenAICompatibleOptions


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
    # Of several workers one may be ready so late that the others have done all.
    assert server.most_in_flight == concurrency if workers == 1 else server.most_in_flight <= concurrency
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


def test_calls_at_hand_are_not_sent_any_more_when_that_is_wanted() -> None:
    async def scenario(server: ChatServer) -> None:
        async with opened(server, 1) as generator:
            generator.keep_to(1)
            calls = [asyncio.create_task(generator.complete(asking(str(number)))) for number in range(3)]
            while not server.requests:
                await asyncio.sleep(0.001)
            generator.send_no_more()
            first, *others = await asyncio.gather(*calls, return_exceptions=True)
            assert isinstance(first, Completion)
            assert first.text == "0"
            for failed in others:
                assert isinstance(failed, Transient)
                assert not failed.may_be_billed
            assert (await generator.complete(asking("later"))).text == "later"

    with ChatServer(echo, latency=0.1) as server:
        asyncio.run(scenario(server))
        assert [request.user_text for request in server.requests] == ["0", "later"]


class Holding:
    """A generator that holds calls, and fails."""

    identity = Identity("holding", "nowhere")

    def __init__(self, error: GenerationError) -> None:
        self._error = error
        self.told: list[str] = []

    def keep_to(self, concurrency: int) -> int:
        self.told.append(f"keep to {concurrency}")
        return 1

    def send_no_more(self) -> None:
        self.told.append("send no more")

    async def complete(self, prompt: Prompt) -> Completion:
        self.told.append("complete")
        raise self._error


def test_a_generator_that_goes_down_and_a_round_that_ends_are_told_to_send_no_more(tmp_path: Path) -> None:
    async def told(error: GenerationError) -> list[str]:
        generator = Holding(error)
        routing = Routing.to(generator, Limits(concurrency=1, attempts=1), "holding")
        with closing(AnswerStore(tmp_path / f"{type(error).__name__}.sqlite")) as store, suppress(RunError):
            async for _ in Engine(store).answers([asking("?")], routing):
                pass
        return generator.told

    assert asyncio.run(told(Refused("no"))) == ["keep to 1", "complete", "send no more"]
    assert asyncio.run(told(Fatal("no key"))) == ["keep to 1", "complete", "send no more", "send no more"]
