"""Worker processes: what happens when they die, hang or chatter, tested with a stand-in for litellm that loads at once.

What a caller itself does in a worker is tested beside it: `test_litellm_workers.py`, `test_chat_workers.py`.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
from worker_processes import ends, workers_of

from genre.options import Secret
from genre.parts import Fatal, Message, Prompt, Sampling, Transient
from genre_generators.litellm_options import LiteLLMOptions
from genre_generators.litellm_provider import LiteLLMGenerator
from genre_generators.litellm_workers import LiteLLMWorkers, told_prompt
from genre_generators.worker_messages import Configuration
from genre_generators.worker_process import WorkerProcess

KEY = "sk-very-secret-0123456789"
PROMPT = Prompt("t", "N1", 3, (Message("user", "A title, please."),), Sampling(33, 0.25, 0.5))
OPTIONS = LiteLLMOptions("openai/small", api_base="http://127.0.0.1:9/v1", workers=1)

STAND_IN = """
import asyncio, os, subprocess, sys, types

class Timeout(Exception): pass
class APIConnectionError(Exception): pass
class InternalServerError(Exception): pass

class Strange(Exception):
    def __str__(self):
        raise ValueError(self.args[0])

def get_llm_provider(model, api_base): pass

cancelled = 0

async def acompletion(messages, **arguments):
    global cancelled
    words = messages[-1]["content"]
    print("litellm likes to chat")
    if words == "die":
        print("out of memory", arguments["api_key"], file=sys.stderr, flush=True)
        os._exit(3)
    if words == "fail strangely":
        raise Strange(arguments["api_key"])
    if words == "start another process":
        words = str(subprocess.Popen(["sleep", "60"], stdin=subprocess.DEVNULL).pid)
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
def test_what_nobody_foresaw_is_told_without_the_key_and_may_have_been_paid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)

    async def scenario(generator: LiteLLMGenerator) -> None:
        with pytest.raises(Fatal, match=r"a worker process failed: ValueError: \*\*\*$") as caught:
            await text(generator, "fail strangely")
        assert caught.value.may_be_billed

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
        process = await WorkerProcess.start(Configuration("litellm", attrs.asdict(OPTIONS), None), **limits)
        with pytest.raises(Transient) as caught:
            await process.ask(told_prompt(asking("hang")))
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
def test_workers_that_are_closed_before_they_answer_do_not_count_as_dead() -> None:
    async def scenario(generator: LiteLLMWorkers) -> None:
        for _ in range(3):
            call = asyncio.create_task(generator.complete(asking("hang")))
            while not workers_of(os.getpid()):
                await asyncio.sleep(0.01)
            await generator.aclose()
            with pytest.raises(Transient):
                await call
        assert (await generator.complete(asking("alive"))).text == "alive"

    async def run() -> None:
        generator = LiteLLMWorkers(OPTIONS, None)
        try:
            await scenario(generator)
        finally:
            await generator.aclose()

    asyncio.run(run())


def test_a_worker_without_an_event_loop_says_so_before_it_is_asked(stand_in: Path) -> None:
    (stand_in.parent / "uvloop.py").write_text("raise SystemExit('no event loop')", encoding="utf-8")

    async def scenario(generator: LiteLLMGenerator) -> None:
        with pytest.raises(Transient) as caught:
            await text(generator, "anything")
        assert not caught.value.may_be_billed

    with_generator(scenario)


@pytest.mark.usefixtures("stand_in")
def test_closing_does_not_wait_for_what_a_worker_has_started() -> None:
    async def scenario() -> None:
        async with opened() as generator:
            started = int(await text(generator, "start another process"))
            await asyncio.wait_for(generator.aclose(), 30)
            os.kill(started, signal.SIGKILL)  # an error if it is not there any more

    asyncio.run(scenario())


@pytest.mark.usefixtures("stand_in")
def test_no_key_is_on_a_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)

    async def scenario(generator: LiteLLMGenerator) -> None:
        pid = await text(generator, "process")
        assert "genre_generators.worker" in Path(f"/proc/{pid}/cmdline").read_text()
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
