"""Calls of the generator `openai-compatible` end in a worker process as they do without one."""

from collections.abc import Iterator

import pytest
from servers import Reply
from worker_outcomes import REPLIES, Bench, opened_bench

from genre.options import Secret
from genre_generators.openai_compatible import OpenAICompatibleGenerator
from genre_generators.openai_compatible_options import OpenAICompatibleOptions

SLOW = Reply(manner="hang")
BODIES = {
    "not UTF-8": Reply(body=b'{"choices": "\xff\xfe\xed\xa0\x80"}'),
    "UTF-16": Reply(body=Reply.answer('{"title": "Grüße"}').body.decode().encode("utf-16")),
    "binary error": Reply(500, bytes(range(256))),
    "binary refusal": Reply(400, b"\x80\x00" * 5000),
    "longer than is read": Reply(body=b" " * (4 << 20) + b"{}"),
}


def generator(address: str, key: Secret, workers: int) -> OpenAICompatibleGenerator:
    options = OpenAICompatibleOptions(
        address, "small", api_key=key, timeout=1.0, parameters={"top_k": 5}, workers=workers
    )
    return OpenAICompatibleGenerator(options)


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with opened_bench(generator) as made:
        yield made


@pytest.mark.parametrize("reply", [*REPLIES.values(), *BODIES.values(), SLOW], ids=[*REPLIES, *BODIES, "slow"])
def test_an_outcome_and_its_request_are_the_same_as_in_this_process(bench: Bench, reply: Reply) -> None:
    bench.check_same(reply)
