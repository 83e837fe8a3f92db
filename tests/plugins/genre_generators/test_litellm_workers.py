"""Worker processes of the generator `litellm`.

What litellm itself does is tested with the real one, against a server on loopback; one worker serves many tests, since
loading litellm takes seconds. What processes do when they die, hang or chatter is tested with a stand-in for litellm
that loads at once.
"""

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import attrs
import pytest
from servers import ChatServer, Reply

from genre.errors import UsageError
from genre.generation import AnswerStore, Engine, Limits, Routing
from genre.options import Secret
from genre.parts import Completion, Fatal, GenerationError, Json, Message, Prompt, RateLimited, Sampling, Transient
from genre.registry import Registry
from genre.testing import checks
from genre_generators.litellm_messages import configuration_line
from genre_generators.litellm_options import LiteLLMOptions
from genre_generators.litellm_process import WorkerProcess
from genre_generators.litellm_provider import LiteLLMGenerator

KEY = "sk-very-secret-0123456789"
SCHEMA: dict[str, Json] = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
PROMPT = Prompt("t", "N1", 3, (Message("user", "A title, please."),), Sampling(33, 0.25, 0.5), SCHEMA)
OPTIONS = LiteLLMOptions("openai/small", api_base="http://127.0.0.1:9/v1", workers=1)

STAND_IN = """
import asyncio, os, subprocess, sys, types

class Timeout(Exception): pass
class APIConnectionError(Exception): pass
class InternalServerError(Exception): pass

def get_llm_provider(model, api_base): pass

cancelled = 0

async def acompletion(messages, **arguments):
    global cancelled
    words = messages[-1]["content"]
    print("litellm likes to chat")
    if words == "die":
        print("out of memory", os.environ.get("TEST_KEY"), file=sys.stderr, flush=True)
        os._exit(3)
    if words == "start another process":
        subprocess.Popen(["sleep", "60"], stdin=subprocess.DEVNULL)
    if words == "hang":
        try:
            await asyncio.Event().wait()
        finally:
            cancelled += 1
    text = {"process": os.getpid(), "cancelled": cancelled}.get(words, words)
    answer = {"choices": [{"finish_reason": "stop", "message": {"content": str(text)}}]}
    return types.SimpleNamespace(model_dump=lambda: answer)
"""


def asking(words: str) -> Prompt:
    return attrs.evolve(PROMPT, messages=(Message("user", words),))


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Workers find this litellm in place of the real one."""
    (tmp_path / "litellm.py").write_text(STAND_IN, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path / "litellm.py"


@asynccontextmanager
async def opened(**options: Any) -> AsyncIterator[LiteLLMGenerator]:
    generator = LiteLLMGenerator(attrs.evolve(OPTIONS, **options))
    try:
        yield generator
    finally:
        await generator.aclose()


def with_generator(scenario: Callable[[LiteLLMGenerator], Awaitable[None]], **options: Any) -> None:
    async def run() -> None:
        async with opened(**options) as generator:
            await scenario(generator)

    asyncio.run(run())


async def text(generator: LiteLLMGenerator, words: str) -> str:
    return (await generator.complete(asking(words))).text


def workers_of(parent: int) -> list[int]:
    """The worker processes that a process has."""
    workers = []
    for thread in Path(f"/proc/{parent}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # threads and processes end while they are looked at
            for pid in (thread / "children").read_text().split():
                if b"litellm_worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    workers.append(int(pid))
    return sorted(workers)


def ends(pid: int, within: float = 60) -> bool:
    """Whether the process is gone, or goes within so many seconds."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], within)[0])
    finally:
        os.close(descriptor)


# With the stand-in


@pytest.mark.usefixtures("stand_in")
def test_what_litellm_prints_does_not_disturb_the_answers() -> None:
    async def scenario(generator: LiteLLMGenerator) -> None:
        assert await asyncio.gather(*(text(generator, f"says {n}") for n in range(50))) == [
            f"says {n}" for n in range(50)
        ]

    with_generator(scenario)


@pytest.mark.usefixtures("stand_in")
def test_any_text_passes_in_both_directions() -> None:
    strange = "\0\x1b[31m\u202e\u2028\r\n {{ }} \ud800 \U0001f600" + "long " * 300_000

    async def scenario(generator: LiteLLMGenerator) -> None:
        assert await text(generator, strange) == strange

    with_generator(scenario)


@pytest.mark.usefixtures("stand_in")
def test_prompts_are_spread_over_all_workers() -> None:
    async def scenario(generator: LiteLLMGenerator) -> None:
        processes = await asyncio.gather(*(text(generator, "process") for _ in range(8)))
        assert sorted(processes.count(one) for one in set(processes)) == [4, 4]

    with_generator(scenario, workers=2)


@pytest.mark.usefixtures("stand_in")
def test_a_cancelled_call_is_cancelled_in_the_worker() -> None:
    async def scenario(generator: LiteLLMGenerator) -> None:
        await text(generator, "ready")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(text(generator, "hang"), 0.01)
        assert await text(generator, "cancelled") == "1"

    with_generator(scenario)


@pytest.mark.usefixtures("stand_in")
def test_a_worker_that_dies_fails_its_calls_as_maybe_paid_and_is_replaced() -> None:
    async def scenario(generator: LiteLLMGenerator) -> None:
        first = await text(generator, "process")
        failures = await asyncio.gather(text(generator, "hang"), text(generator, "die"), return_exceptions=True)
        assert [type(failure) for failure in failures] == [Transient, Transient]
        assert all(isinstance(failure, Transient) and failure.may_be_billed for failure in failures)
        assert await text(generator, "process") != first

    with_generator(scenario)


@pytest.mark.usefixtures("stand_in")
def test_workers_that_die_again_and_again_are_given_up_with_their_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)

    async def scenario(generator: LiteLLMGenerator) -> None:
        for _ in range(3):
            with pytest.raises(Transient):
                await text(generator, "die")
        with pytest.raises(Fatal, match=r"died one after another: .*out of memory \*\*\*$"):
            await text(generator, "die")

    with_generator(scenario, api_key=Secret("TEST_KEY"))


@pytest.mark.usefixtures("stand_in")
def test_workers_that_answer_between_their_deaths_are_replaced_each_time() -> None:
    async def scenario(generator: LiteLLMGenerator) -> None:
        for _ in range(4):
            assert await text(generator, "alive") == "alive"
            with pytest.raises(Transient):
                await text(generator, "die")

    with_generator(scenario)


def test_a_worker_that_cannot_start_was_asked_nothing_that_has_to_be_paid(stand_in: Path) -> None:
    stand_in.write_text("raise SystemExit('no such library')", encoding="utf-8")

    async def scenario(generator: LiteLLMGenerator) -> None:
        for _ in range(3):
            with pytest.raises(Transient) as caught:
                await text(generator, "anything")
            assert not caught.value.may_be_billed
        with pytest.raises(Fatal, match="no such library"):
            await text(generator, "anything")

    with_generator(scenario)


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize(
    ("longest", "asked"), [({"longest_call": 0.01}, True), ({"longest_start": 0.0}, False)], ids=str
)
def test_a_worker_that_hangs_is_ended(longest: dict[str, float], asked: bool) -> None:
    async def scenario() -> None:
        limits = {"longest_start": 60.0, "longest_call": 60.0} | longest
        process = await WorkerProcess.start(configuration_line(OPTIONS, None), **limits)
        with pytest.raises(Transient) as caught:
            await process.ask(asking("hang"))
        assert caught.value.may_be_billed == asked
        assert ends(process.pid)
        await process.aclose()

    asyncio.run(scenario())


@pytest.mark.usefixtures("stand_in")
def test_closing_ends_the_workers_and_a_later_call_starts_others() -> None:
    async def scenario(generator: LiteLLMGenerator) -> None:
        first = await text(generator, "process")
        await generator.aclose()
        assert ends(int(first))
        assert await text(generator, "process") != first

    with_generator(scenario)


@pytest.mark.usefixtures("stand_in")
def test_closing_does_not_wait_for_what_a_worker_has_started() -> None:
    async def scenario() -> None:
        async with opened() as generator:
            await text(generator, "start another process")
            await asyncio.wait_for(generator.aclose(), 30)

    asyncio.run(scenario())


@pytest.mark.usefixtures("stand_in")
def test_no_key_is_on_a_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)

    async def scenario(generator: LiteLLMGenerator) -> None:
        pid = await text(generator, "process")
        assert "litellm_worker" in Path(f"/proc/{pid}/cmdline").read_text()
        commands = [file.read_bytes() for file in Path("/proc").glob("[0-9]*/cmdline") if file.exists()]
        assert not any(KEY.encode() in command for command in commands)

    with_generator(scenario, api_key=Secret("TEST_KEY"))


def test_nothing_is_imported_from_the_working_directory(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = stand_in.parent / "elsewhere"
    folder.mkdir()
    (folder / "json.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    monkeypatch.chdir(folder)

    async def scenario(generator: LiteLLMGenerator) -> None:
        assert await text(generator, "hello") == "hello"

    with_generator(scenario)


ASK_AND_WAIT = """
import asyncio, sys
from genre.parts import Message, Prompt, Sampling
from genre_generators.litellm_options import LiteLLMOptions
from genre_generators.litellm_provider import LiteLLMGenerator

async def main():
    generator = LiteLLMGenerator(LiteLLMOptions("openai/small", api_base="http://127.0.0.1:9/v1", workers=1))
    prompt = Prompt("t", "N1", 0, (Message("user", "process"),), Sampling(9))
    print((await generator.complete(prompt)).text, "litellm" in sys.modules, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.usefixtures("stand_in")
def test_a_parent_that_is_killed_leaves_no_worker_and_has_not_loaded_litellm() -> None:
    with subprocess.Popen([sys.executable, "-c", ASK_AND_WAIT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid, loaded = parent.stdout.readline().split()
        assert workers_of(parent.pid) == [int(pid)]
        parent.kill()
    assert ends(int(pid))
    assert loaded == "False"


# With litellm


@attrs.frozen(eq=False)
class Bench:
    """A server, and the generator with and without a worker, on one event loop."""

    server: ChatServer
    runner: asyncio.Runner
    here: LiteLLMGenerator
    apart: LiteLLMGenerator

    def outcome(self, generator: LiteLLMGenerator, reply: Reply) -> object:
        """What a call makes of a reply, in a form that can be compared."""
        self.server.script = lambda _: reply
        try:
            return self.runner.run(generator.complete(PROMPT))
        except GenerationError as error:
            retry_after = error.retry_after if isinstance(error, RateLimited) else None
            return type(error), str(error), error.may_be_billed, retry_after


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with ChatServer() as server, asyncio.Runner() as runner, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEST_KEY", KEY)
        here = LiteLLMOptions("openai/small", api_base=server.base_url, api_key=Secret("TEST_KEY"))
        made = Bench(server, runner, LiteLLMGenerator(here), LiteLLMGenerator(attrs.evolve(here, workers=1)))
        yield made
        runner.run(made.here.aclose())
        runner.run(made.apart.aclose())


REPLIES = {
    "answer": Reply.answer('{"title": "Grüße"}'),
    "cut off": Reply.answer('{"title": "Gr', finish="length"),
    "refusal": Reply.answer(None, refusal="I will not"),
    "empty": Reply.answer(""),
    "key repeated": Reply.answer(f"I was sent {KEY}", model=KEY),
    "unauthorized": Reply.error(401, f"wrong key {KEY}"),
    "bad request": Reply.error(400, f"bad {KEY} " + "x" * 300),
    "rate limit": Reply.error(429, Retry_After="2.5"),
    "server error": Reply.error(500),
    "dropped": Reply(manner="drop"),
    "truncated": Reply(body=b'{"choices": [', manner="truncate"),
    "not JSON": Reply(body=b"<html>", headers={"Content-Type": "text/html"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("reply", REPLIES.values(), ids=list(REPLIES))
def test_an_outcome_is_the_same_as_in_this_process(bench: Bench, reply: Reply) -> None:
    asked = len(bench.server.requests)
    apart = bench.outcome(bench.apart, reply)
    assert apart == bench.outcome(bench.here, reply)
    assert KEY not in str(apart)
    first, second = bench.server.requests[asked:]
    assert first.body == second.body
    assert first.headers["authorization"] == second.headers["authorization"] == f"Bearer {KEY}"


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
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as run:
            assert run.communicate(timeout=120)[0] == "interrupted\n"
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
