"""Worker processes of the generator `openai-compatible`: real processes, and a real server on loopback."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import attrs
import pytest
from servers import ChatServer, Reply, Request
from worker_outcomes import KEY, PROMPT, SCHEMA
from worker_processes import ends, workers_of

from genre.errors import UsageError
from genre.generation import AnswerStore, Engine, Limits, Routing
from genre.options import Secret, structure
from genre.parts import Fatal, GenerationError, Json, Message, Prompt, Transient
from genre.registry import Registry
from genre.testing import checks
from genre_generators.openai_compatible import OpenAICompatibleGenerator
from genre_generators.openai_compatible_options import OpenAICompatibleOptions
from genre_generators.worker_messages import Configuration
from genre_generators.worker_process import WorkerProcess

HANG = '{"messages": [{"role": "user", "content": "hang"}]}'


def asking(words: str, schema: dict[str, Json] | None = None) -> Prompt:
    return attrs.evolve(PROMPT, messages=(Message("user", words),), schema=schema)


def echo(request: Request) -> Reply:
    return Reply.answer(request.user_text)


def hang(request: Request) -> Reply:
    return Reply(manner="hang") if request.user_text == "hang" else echo(request)


@asynccontextmanager
async def opened(server: ChatServer, **options: Any) -> AsyncIterator[OpenAICompatibleGenerator]:
    chosen = OpenAICompatibleOptions(server.base_url, "small", **{"workers": 1, **options})
    generator = OpenAICompatibleGenerator(chosen)
    try:
        yield generator
    finally:
        await generator.aclose()


def with_generator(
    scenario: Callable[[OpenAICompatibleGenerator, ChatServer], Awaitable[None]],
    script: Callable[[Request], Reply] = hang,
    **options: Any,
) -> None:
    async def run(server: ChatServer) -> None:
        async with opened(server, **options) as generator:
            await scenario(generator, server)

    with ChatServer(script) as server:
        asyncio.run(run(server))


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


def test_nobody_listening_is_told_as_in_this_process() -> None:
    async def told(workers: int) -> tuple[type, str, bool]:
        options = OpenAICompatibleOptions("http://127.0.0.1:9/v1", "small", workers=workers)
        generator = OpenAICompatibleGenerator(options)
        with pytest.raises(GenerationError) as caught:
            await generator.complete(PROMPT)
        await generator.aclose()
        return type(caught.value), str(caught.value), caught.value.may_be_billed

    assert asyncio.run(told(1)) == asyncio.run(told(0))


def test_each_question_has_its_own_schema() -> None:
    schemas: list[dict[str, Json] | None] = [SCHEMA, None, {**SCHEMA, "title": "another"}, SCHEMA, None]

    async def scenario(generator: OpenAICompatibleGenerator, server: ChatServer) -> None:
        prompts = [asking(str(number), schema) for number, schema in enumerate(schemas)]
        await asyncio.gather(*map(generator.complete, prompts))
        formats = {request.user_text: request.body.get("response_format") for request in server.requests}
        sent = [formats[str(number)] for number in range(len(schemas))]
        assert [each and each["json_schema"]["schema"] for each in sent] == schemas

    with_generator(scenario)


def test_a_cancelled_call_is_cancelled_in_the_worker() -> None:
    async def scenario() -> None:
        asked, hung_up = asyncio.Event(), asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            asked.set()
            while await reader.read(1 << 16):
                pass
            hung_up.set()
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1") as server:
            port = server.sockets[0].getsockname()[1]
            options = OpenAICompatibleOptions(f"http://127.0.0.1:{port}/v1", "small", workers=1)
            generator = OpenAICompatibleGenerator(options)
            call = asyncio.create_task(generator.complete(PROMPT))
            await asked.wait()
            call.cancel()
            await hung_up.wait()
            with pytest.raises(asyncio.CancelledError):
                await call
            await generator.aclose()

    asyncio.run(scenario())


def test_a_worker_that_is_killed_fails_its_calls_as_maybe_paid_and_is_replaced() -> None:
    async def scenario(generator: OpenAICompatibleGenerator, server: ChatServer) -> None:
        call = asyncio.create_task(generator.complete(asking("hang")))
        await until(lambda: len(server.requests) == 1)
        [worker] = workers_of(os.getpid())
        os.kill(worker, signal.SIGKILL)
        with pytest.raises(Transient) as caught:
            await call
        assert caught.value.may_be_billed
        assert (await generator.complete(asking("alive"))).text == "alive"
        assert workers_of(os.getpid()) != [worker]

    with_generator(scenario)


def test_workers_that_die_again_and_again_are_given_up() -> None:
    def kill(request: Request) -> Reply:
        [worker] = workers_of(os.getpid())
        os.kill(worker, signal.SIGKILL)
        return echo(request)

    async def scenario(generator: OpenAICompatibleGenerator, _: ChatServer) -> None:
        for _ in range(3):
            with pytest.raises(Transient):
                await generator.complete(PROMPT)
        with pytest.raises(Fatal, match="3 worker processes died one after another"):
            await generator.complete(PROMPT)

    with_generator(scenario, kill)


def test_a_worker_that_hangs_is_ended() -> None:
    async def scenario(server: ChatServer) -> None:
        options = OpenAICompatibleOptions(server.base_url, "small", workers=1)
        told = Configuration("chat", attrs.asdict(options), None)
        process = await WorkerProcess.start(told, longest_start=60.0, longest_call=0.01)
        with pytest.raises(Transient) as caught:
            await process.ask([HANG])
        assert caught.value.may_be_billed
        assert ends(process.pid)
        await process.aclose()

    with ChatServer(hang) as server:
        asyncio.run(scenario(server))


def test_a_round_whose_workers_are_killed_completes(tmp_path: Path) -> None:
    killed: list[int] = []

    def script(request: Request) -> Reply:
        if len(server.requests) in (50, 120):
            running = set(workers_of(os.getpid())) - set(killed)
            killed.append(min(running))
            os.kill(killed[-1], signal.SIGKILL)
        return echo(request)

    async def answers(store: AnswerStore) -> list[str]:
        async with opened(server, workers=2) as generator:
            routing = Routing.to(generator, Limits(concurrency=32, backoff=0.01), "small")
            asked = Engine(store).answers((asking(str(number), SCHEMA) for number in range(300)), routing)
            return [item.answer.completion.text async for item in asked if item.answer]

    with ChatServer(script, latency=0.01) as server, closing(AnswerStore(tmp_path / "answers.sqlite")) as store:
        assert asyncio.run(answers(store)) == [str(number) for number in range(300)]
    assert len(set(killed)) == 2
    assert len(server.requests) > 300


def test_closing_ends_the_workers_and_a_later_call_starts_others() -> None:
    async def scenario(generator: OpenAICompatibleGenerator, _: ChatServer) -> None:
        await generator.complete(asking("first"))
        [worker] = workers_of(os.getpid())
        await generator.aclose()
        assert ends(worker)
        assert (await generator.complete(asking("second"))).text == "second"

    with_generator(scenario)


def test_a_worker_is_told_the_key_on_its_standard_input_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)

    async def scenario(generator: OpenAICompatibleGenerator, server: ChatServer) -> None:
        await generator.complete(asking("hello"))
        assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
        [worker] = workers_of(os.getpid())
        assert KEY.encode() not in Path(f"/proc/{worker}/cmdline").read_bytes()
        assert KEY.encode() not in Path(f"/proc/{worker}/environ").read_bytes()

    with_generator(scenario, api_key=Secret("TEST_KEY"))


def test_a_worker_runs_on_uvloop() -> None:
    async def scenario(generator: OpenAICompatibleGenerator, _: ChatServer) -> None:
        await generator.complete(PROMPT)
        [worker] = workers_of(os.getpid())
        assert "/uvloop/" in Path(f"/proc/{worker}/maps").read_text()

    with_generator(scenario)


def test_a_worker_runs_without_uvloop_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "uvloop.py").write_text("raise ImportError('there is none')", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    async def scenario(generator: OpenAICompatibleGenerator, _: ChatServer) -> None:
        assert (await generator.complete(asking("hello"))).text == "hello"

    with_generator(scenario)


def test_nothing_of_workers_is_loaded_without_them() -> None:
    code = (
        "import asyncio, sys\n"
        "from genre.parts import Message, Prompt, Sampling\n"
        "from genre_generators.openai_compatible import OpenAICompatibleGenerator\n"
        "from genre_generators.openai_compatible_options import OpenAICompatibleOptions\n"
        "generator = OpenAICompatibleGenerator(OpenAICompatibleOptions('http://127.0.0.1:9/v1', 'm'))\n"
        "prompt = Prompt('t', 'N1', 0, (Message('user', '?'),), Sampling(9))\n"
        "try: asyncio.run(generator.complete(prompt))\n"
        "except Exception: print([name for name in sys.modules if 'worker' in name and 'genre' in name])"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"


def test_a_worker_loads_nothing_heavy() -> None:
    code = (
        "from genre_generators.openai_compatible_options import OpenAICompatibleOptions\n"
        "from genre_generators.worker import caller\n"
        "from genre_generators.worker_messages import Configuration\n"
        "caller(Configuration('chat', {'base_url': 'http://127.0.0.1:9/v1', 'model': 'm'}, None))\n"
        "import sys; print([name for name in ('litellm', 'torch', 'polars', 'numpy') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"


INTERRUPTED = """
import asyncio, sys
from pathlib import Path
from genre.generation import AnswerStore, Engine, Limits, Routing
from genre.parts import Message, Prompt, Sampling
from genre_generators.openai_compatible import OpenAICompatibleGenerator
from genre_generators.openai_compatible_options import OpenAICompatibleOptions

address, path = sys.argv[1:]
generator = OpenAICompatibleGenerator(OpenAICompatibleOptions(address, "small", workers=1))
prompt = Prompt("t", "N1", 0, (Message("user", "A title, please."),), Sampling(9))

async def main():
    try:
        async for _ in Engine(AnswerStore(Path(path))).answers([prompt], Routing.to(generator, Limits(), "g")):
            pass
    finally:
        await generator.aclose()

try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted")
"""


def test_an_interrupt_from_the_terminal_loses_no_answer_that_is_under_way(tmp_path: Path) -> None:
    workers: list[int] = []

    def script(_: Request) -> Reply:
        workers.extend(workers_of(run.pid))
        os.killpg(run.pid, signal.SIGINT)
        return Reply.answer("nobody listens" if ends(workers[0], within=0.5) else "in time")

    path = tmp_path / "answers.sqlite"
    with ChatServer(script) as server:
        command = [sys.executable, "-c", INTERRUPTED, server.base_url, path]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as run:
            said, complaints = run.communicate(timeout=120)
        assert said == "interrupted\n", (run.returncode, complaints)
    [worker] = workers
    assert ends(worker)
    with closing(AnswerStore(path)) as store:
        assert [stored.completion.text for stored in store.rows()] == ["in time"]


def test_a_parent_that_is_killed_leaves_no_worker() -> None:
    def script(_: Request) -> Reply:
        workers.extend(workers_of(run.pid))
        run.kill()
        return Reply(manner="hang")

    workers: list[int] = []
    with ChatServer(script) as server:
        command = [sys.executable, "-c", INTERRUPTED, server.base_url, ":memory:"]
        with subprocess.Popen(command) as run:
            run.wait(60)
        [worker] = workers
        assert ends(worker)


def test_the_laws_of_generators_hold_with_a_worker() -> None:
    before = workers_of(os.getpid())
    with ChatServer(lambda _: Reply.answer('{"title": "Rain over Paris"}')) as server:
        options = {"base_url": server.base_url, "model": "small", "workers": 1}
        for check in checks("generator", "openai-compatible", registry=Registry.load(strict=True), options=options):
            check()
    assert workers_of(os.getpid()) == before


def test_workers_do_not_change_the_identity() -> None:
    options = OpenAICompatibleOptions("http://127.0.0.1:9/v1", "small", workers=2)
    one, other = (OpenAICompatibleGenerator(attrs.evolve(options, workers=workers)) for workers in (0, 2))
    assert one.identity == other.identity


@pytest.mark.parametrize("workers", [-1, 257, 1.5])
def test_a_wrong_number_of_workers_is_an_error_that_names_it(workers: float) -> None:
    with pytest.raises(UsageError, match="workers"):
        structure({"base_url": "http://h/v1", "model": "m", "workers": workers}, OpenAICompatibleOptions, "mine")
