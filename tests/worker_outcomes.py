"""Outcomes of calls with and without a worker process, to be compared."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeAlias

import attrs
import pytest
from servers import ChatServer, Reply

from genre.options import Secret
from genre.parts import GenerationError, Json, Message, Prompt, RateLimited, Sampling
from genre_generators.litellm_provider import LiteLLMGenerator
from genre_generators.openai_compatible import OpenAICompatibleGenerator

Asked: TypeAlias = LiteLLMGenerator | OpenAICompatibleGenerator

KEY: Final = "sk-very/secret-0123456789"
SCHEMA: Final[dict[str, Json]] = {
    "type": "object",
    "properties": {"title": {"type": "string"}},
    "required": ["title"],
}
PROMPT: Final = Prompt("t", "N1", 3, (Message("user", "A title, please."),), Sampling(33, 0.25, 0.5), SCHEMA)


def _other_spellings(body: bytes) -> bytes:
    """The same JSON with characters of the key as escapes."""
    return body.replace(b"sk-very/", b"sk\\u002dvery\\/")


REPLIES: Final = {
    "answer": Reply.answer('{"title": "Grüße"}'),
    "cut off": Reply.answer('{"title": "Gr', finish="length"),
    "refusal": Reply.answer(None, refusal="I will not"),
    "empty": Reply.answer(""),
    "key repeated": Reply.answer(f"I was sent {KEY}", model=KEY),
    "key repeated in other spellings": Reply(body=_other_spellings(Reply.answer(f"I was sent {KEY}", model=KEY).body)),
    "key repeated in UTF-16": Reply(body=Reply.answer(f"I was sent {KEY}").body.decode().encode("utf-16")),
    "bad request with the key in other spellings": Reply(400, _other_spellings(Reply.error(400, f"bad {KEY}").body)),
    "bad request with the key in UTF-16": Reply(400, Reply.error(400, f"bad {KEY}").body.decode().encode("utf-16")),
    "error with status 200": Reply.of({"error": {"message": "x" * 290 + KEY, "code": 400}}),
    "unauthorized": Reply.error(401, f"wrong key {KEY}"),
    "bad request": Reply.error(400, f"bad {KEY} " + "x" * 300),
    "rate limit": Reply.error(429, Retry_After="2.5"),
    "server error": Reply.error(500),
    "dropped": Reply(manner="drop"),
    "truncated": Reply(body=b'{"choices": [', manner="truncate"),
    "not JSON": Reply(body=b"<html>", headers={"Content-Type": "text/html"}),
}


@attrs.frozen(eq=False)
class Bench:
    """A server, and a generator with and without a worker, on one event loop."""

    server: ChatServer
    runner: asyncio.Runner
    here: Asked
    apart: Asked

    def outcome(self, generator: Asked, reply: Reply) -> object:
        """What a call makes of a reply, in a form that can be compared."""
        self.server.script = lambda _: reply
        try:
            return self.runner.run(generator.complete(PROMPT))
        except GenerationError as error:
            retry_after = error.retry_after if isinstance(error, RateLimited) else None
            return type(error), str(error), error.may_be_billed, retry_after

    def check_same(self, reply: Reply) -> None:
        """The request and what becomes of the reply are the same in a worker, and hold no key."""
        asked = len(self.server.requests)
        apart = self.outcome(self.apart, reply)
        assert apart == self.outcome(self.here, reply)
        assert KEY[:8] not in str(apart)
        first, second = self.server.requests[asked:]
        assert first.body == second.body
        assert first.headers["authorization"] == second.headers["authorization"] == f"Bearer {KEY}"


@contextmanager
def opened_bench(make: Callable[[str, Secret, int], Asked]) -> Iterator[Bench]:
    """A bench.

    Args:
        make: a generator that asks the server of this address, with this key and so many workers.
    """
    with ChatServer() as server, asyncio.Runner() as runner, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEST_KEY", KEY)
        here, apart = (make(server.base_url, Secret("TEST_KEY"), workers) for workers in (0, 1))
        yield Bench(server, runner, here, apart)
        runner.run(here.aclose())
        runner.run(apart.aclose())
