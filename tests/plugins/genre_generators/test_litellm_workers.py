"""Worker processes of the generator `litellm`, with the real one and a server on loopback.

One worker serves many tests, since loading litellm takes seconds.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
from servers import ChatServer, Reply
from worker_outcomes import PROMPT, REPLIES, Bench, opened_bench
from worker_processes import ends, workers_of

from genre.errors import UsageError
from genre.generation import AnswerStore, Engine, Limits, Routing
from genre.options import Secret
from genre.parts import Completion, GenerationError, Message, Prompt, Sampling, Transient
from genre.registry import Registry
from genre.testing import checks
from genre_generators.litellm_options import LiteLLMOptions
from genre_generators.litellm_provider import LiteLLMGenerator

OPTIONS = LiteLLMOptions("openai/small", api_base="http://127.0.0.1:9/v1", workers=1)


@asynccontextmanager
async def opened(**options: Any) -> AsyncIterator[LiteLLMGenerator]:
    generator = LiteLLMGenerator(attrs.evolve(OPTIONS, **options))
    try:
        yield generator
    finally:
        await generator.aclose()


def generator_at(address: str, key: Secret, workers: int) -> LiteLLMGenerator:
    return LiteLLMGenerator(LiteLLMOptions("openai/small", api_base=address, api_key=key, workers=workers))


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with opened_bench(generator_at) as made:
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("reply", REPLIES.values(), ids=list(REPLIES))
def test_an_outcome_and_its_request_are_the_same_as_in_this_process(bench: Bench, reply: Reply) -> None:
    bench.check_same(reply)


@pytest.mark.slow
@pytest.mark.parametrize("provider", ["openai", "anthropic", "groq"])
def test_a_server_that_cannot_be_reached_is_told_in_plain_words_and_was_not_paid(bench: Bench, provider: str) -> None:
    async def scenario() -> GenerationError:
        async with opened(model=f"{provider}/small", workers=0) as generator:  # nobody listens there
            with pytest.raises(Transient) as caught:
                await generator.complete(PROMPT)
            return caught.value

    error = bench.runner.run(scenario())
    assert str(error).startswith("the connection failed: Cannot connect to host 127.0.0.1:9 [")
    assert " at 0x" not in str(error)
    assert not error.may_be_billed


@pytest.mark.slow
def test_one_that_is_closed_leaves_another_at_work(bench: Bench) -> None:
    async def scenario() -> None:
        async with opened(model="openai/small", workers=0) as generator:
            with pytest.raises(Transient):
                await generator.complete(PROMPT)

    before = bench.outcome(bench.here, Reply.answer("at work"))
    bench.runner.run(scenario())
    assert bench.outcome(bench.here, Reply.answer("at work")) == before
    assert isinstance(before, Completion)


@pytest.mark.slow
def test_a_lost_connection_is_told_as_one_and_may_have_been_paid(bench: Bench) -> None:
    lost = bench.outcome(bench.here, Reply(manner="drop"))
    assert lost == (Transient, "the connection failed: Server disconnected", True, None)


@pytest.mark.slow
def test_a_prompt_whose_worker_is_killed_is_answered_by_the_next(bench: Bench, tmp_path: Path) -> None:
    def script(request: object) -> Reply:
        if len(bench.server.requests) == asked + 1:
            [pid] = workers_of(os.getpid())
            os.kill(pid, signal.SIGKILL)
            return Reply(manner="hang")
        return Reply.answer("alive")

    async def answers() -> list[Completion]:
        routing = Routing.to(bench.apart, Limits(backoff=0.01), "apart")
        engine = Engine(AnswerStore(tmp_path / "answers.sqlite"))
        return [item.answer.completion async for item in engine.answers([PROMPT], routing) if item.answer]

    bench.outcome(bench.apart, Reply.answer("running"))
    asked = len(bench.server.requests)
    bench.server.script = script
    assert [completion.text for completion in bench.runner.run(answers())] == ["alive"]
    assert len(bench.server.requests) == asked + 2


@pytest.mark.slow
@pytest.mark.parametrize("model", ["nonsense", "openai/gpt-4o-mini"])
def test_what_is_wrong_before_any_call_is_told_in_the_same_words(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    async def told(workers: int) -> str:
        async with opened(model=model, api_base=None, workers=workers) as generator:
            with pytest.raises(UsageError) as caught:
                await generator.complete(PROMPT)
            return str(caught.value)

    assert asyncio.run(told(1)) == asyncio.run(told(0))


INTERRUPTED_PROMPT = Prompt("t", "N1", 0, (Message("user", "A title, please."),), Sampling(9))
INTERRUPTED = """
import asyncio, sys
from pathlib import Path
from genre.generation import AnswerStore, Engine, Limits, Routing
from genre.parts import Message, Prompt, Sampling
from genre_generators.litellm_options import LiteLLMOptions
from genre_generators.litellm_provider import LiteLLMGenerator

address, path = sys.argv[1:]
generator = LiteLLMGenerator(LiteLLMOptions("openai/small", api_base=address, workers=1))
prompt = Prompt("t", "N1", 0, (Message("user", "A title, please."),), Sampling(9))
store = AnswerStore(Path(path))

async def main():
    try:
        async for _ in Engine(store).answers([prompt], Routing.to(generator, Limits(), "g")):
            pass
    finally:
        await generator.aclose()

try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.slow
def test_an_interrupt_from_the_terminal_loses_no_answer_that_is_under_way(tmp_path: Path) -> None:
    workers: list[int] = []

    def script(_: object) -> Reply:
        workers.extend(workers_of(run.pid))
        os.killpg(run.pid, signal.SIGINT)
        return Reply.answer("nobody listens" if ends(workers[0], within=0.5) else "in time")

    async def stored(generator: LiteLLMGenerator) -> list[tuple[str, bool]]:
        engine = Engine(AnswerStore(tmp_path / "answers.sqlite"))
        answers = engine.answers([INTERRUPTED_PROMPT], Routing.to(generator, Limits(), "g"))
        return [(item.answer.completion.text, item.reused) async for item in answers if item.answer]

    with ChatServer(script) as server:
        command = [sys.executable, "-c", INTERRUPTED, server.base_url, tmp_path / "answers.sqlite"]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as run:
            said, complaints = run.communicate(timeout=120)
        assert said == "interrupted\n", (run.returncode, complaints)
        generator = LiteLLMGenerator(attrs.evolve(OPTIONS, api_base=server.base_url))
        assert asyncio.run(stored(generator)) == [("in time", True)]
    [worker] = workers
    assert ends(worker)


@pytest.mark.slow
def test_the_laws_of_generators_hold_with_a_worker() -> None:
    before = workers_of(os.getpid())
    with ChatServer(lambda _: Reply.answer('{"title": "Rain over Paris"}')) as server:
        options = {"api_base": server.base_url, "model": "openai/small", "workers": 1}
        for check in checks("generator", "litellm", registry=Registry.load(strict=True), options=options):
            check()
    assert workers_of(os.getpid()) == before


def test_workers_do_not_change_the_identity() -> None:
    assert LiteLLMGenerator(OPTIONS).identity == LiteLLMGenerator(attrs.evolve(OPTIONS, workers=0)).identity
