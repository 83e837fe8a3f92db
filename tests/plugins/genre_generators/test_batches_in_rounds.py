"""Batches under the engine, and under a real process that is really killed: a batch that is paid is paid once."""

import asyncio
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import pytest
from batch_calls import QUICK, Maker, anthropic, both, openai, prompt, question
from batch_server import BatchServer, Outcome
from command_line import Genre, start_genre
from servers import Reply
from small_data import small_dataset

from genre.dataset import load_dataset, save_dataset
from genre.errors import RunError
from genre.generation import AnswerStore, Budget, Engine, Limits, Routing, StoredAnswer
from genre.generation.engine import READ_AHEAD, Answered
from genre.parts import Price
from genre_generators.batch_generator import BatchGenerator

PROMPTS = READ_AHEAD + 904
QUICK_LIMITS = Limits(concurrency=100, backoff=0.001, longest_backoff=0.002, attempts=3)


class FullStore(AnswerStore):
    """Has no room for an answer."""

    def put(self, answers: Iterable[StoredAnswer]) -> None:
        """Fail."""
        raise RunError("the disk is full")


def run(
    folder: Path,
    generator: BatchGenerator,
    count: int,
    budget: Budget | None = None,
    open_store: Callable[[Path], AnswerStore] = AnswerStore,
) -> list[Answered]:
    """A round's worth of prompts, with a store."""

    async def collect(store: AnswerStore) -> list[Answered]:
        engine = Engine(store, budget=budget)
        routing = Routing.to(generator, QUICK_LIMITS, "batches")
        try:
            return [item async for item in engine.answers(map(prompt, range(count)), routing)]
        finally:
            await generator.aclose()

    with closing(open_store(folder / "answers.sqlite")) as store:
        return asyncio.run(collect(store))


@both
def test_prompts_that_failed_are_asked_again_together(make: Maker, tmp_path: Path) -> None:
    seen: Counter[str] = Counter()

    def twice(key: str, body: Any) -> Outcome:
        seen[key] += 1
        return Outcome(status=500) if int(question(body).split()[1]) % 2 and len(server.batches) < 3 else Outcome()

    with BatchServer() as server:
        server.outcome = twice
        answered = run(tmp_path, make(server, tmp_path / "batches"), 20)
        assert [len(batch.requests) for batch in server.batches] == [20, 10, 10]
    assert {item.answer.state for item in answered if item.answer} == {"ok"}


@both
def test_a_full_queue_is_no_attempt(make: Maker, tmp_path: Path) -> None:
    full = [Reply.error(429, Retry_After="0") for _ in range(5)]
    with BatchServer() as server:
        server.intercept = lambda method, path: full.pop() if full and path.endswith("batches") else None
        answered = run(tmp_path, make(server, tmp_path / "batches"), 20)
    assert not full
    assert {item.answer.state for item in answered if item.answer} == {"ok"}


def test_a_batch_that_no_queue_takes_is_sent_in_smaller_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genre_generators.openai_batch_replies.QUEUE_SECONDS", 0.01)
    with BatchServer() as server:
        server.largest = 6
        answered = run(tmp_path, openai(server, tmp_path / "batches"), 20)
        assert max(len(batch.requests) for batch in server.batches if batch.taken) <= 6
    assert {item.answer.state for item in answered if item.answer} == {"ok"}


@both
def test_what_is_stored_is_not_kept_in_the_journal(make: Maker, tmp_path: Path) -> None:
    with BatchServer() as server:
        run(tmp_path, make(server, tmp_path / "batches"), 5)
        assert not list((tmp_path / "batches").iterdir())
        (tmp_path / "answers.sqlite").unlink()  # who deletes an answer means a new one
        run(tmp_path, make(server, tmp_path / "batches"), 5)
        assert len(server.batches) == 2


@both
def test_what_could_not_be_stored_is_fetched_again(make: Maker, tmp_path: Path) -> None:
    with BatchServer() as server:
        with pytest.raises(RunError, match="disk is full"):
            run(tmp_path, make(server, tmp_path / "batches"), 5, open_store=FullStore)
        run(tmp_path, make(server, tmp_path / "batches"), 5)
        assert len(server.batches) == 1


def test_a_round_that_ends_does_not_wait_for_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genre.generation.calls.DRAIN_SECONDS", 3_600.0)
    with BatchServer() as server:
        server.held.set()
        server.intercept = lambda _, path: Reply.error(401) if "batch_1" in path else None
        with pytest.raises(RunError, match="401"):
            run(tmp_path, openai(server, tmp_path / "batches", batch_size=3), 6)
        assert len(server.batches) == 2


@both
def test_a_budget_bounds_what_is_in_batches(make: Maker, tmp_path: Path) -> None:
    """A prompt costs 33 USD at the worst and 3 USD in the end; 100 USD are three prompts' worst case at once."""
    budget = Budget(limit=100)
    with BatchServer() as server:
        generator = make(server, tmp_path / "batches", price=Price(0, 1e6))
        run(tmp_path, generator, 20, budget)
        sizes = [len(batch.requests) for batch in server.batches]
    assert max(sizes) == 3
    assert budget.spent == 60


def test_a_cancelled_batch_ends_a_round_and_what_it_has_is_stored(tmp_path: Path) -> None:
    with BatchServer() as server:
        server.states = ["in_progress", "cancelled"]
        server.outcome = lambda _, body: Outcome(status=0) if question(body).endswith("5") else Outcome()
        with pytest.raises(RunError, match="was cancelled"):
            run(tmp_path, openai(server, tmp_path / "batches"), 10)
        server.states = ["completed"]
        server.outcome = lambda *_: Outcome()
        answered = run(tmp_path, openai(server, tmp_path / "batches"), 10)
        assert [len(batch.requests) for batch in server.batches] == [10, 1]
    assert sum(not item.reused for item in answered) == 1


def project(folder: Path, server: BatchServer, plugin: str) -> list[str]:
    """A project whose default generator sends all prompts in one batch; the arguments of the call that is killed."""
    save_dataset(small_dataset(more_news=PROMPTS - 6), folder / "small")
    lines = [f"{name} = {value}" for name, value in {**QUICK, "batch_size": PROMPTS, "collect_seconds": 60}.items()]
    (folder / "registry.toml").write_text(
        f'[defaults]\ngenerator = "cheap"\n\n[generators.cheap]\nplugin = "{plugin}"\nmodel = "m"\n'
        f'base_url = "{server.base_url}"\n' + "\n".join(lines)
    )
    return ["enrich", "small", "--task", "news-summarizer", "--out", "rich"]


def finish(folder: Path, arguments: list[str]) -> None:
    with start_genre(folder, *arguments) as process:
        _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert set(load_dataset(folder / "rich").text("title")) == {"Rain over Paris"}


@pytest.mark.slow
@pytest.mark.parametrize("plugin", ["openai-batch", "anthropic-batch"])
@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_was_stopped_while_its_batch_was_under_way_sends_nothing_again(
    plugin: str, way: signal.Signals, tmp_path: Path
) -> None:
    with BatchServer() as server:
        server.held.set()
        arguments = project(tmp_path, server, plugin)
        with start_genre(tmp_path, *arguments) as process:
            stop_when_looked_at(server, process, way)
            process.communicate(timeout=60)
        assert process.returncode == (-signal.SIGKILL if way == signal.SIGKILL else 130)
        server.held.clear()
        finish(tmp_path, arguments)
        assert [len(batch.requests) for batch in server.batches] == [PROMPTS]


@pytest.mark.slow
@pytest.mark.parametrize("plugin", ["openai-batch", "anthropic-batch"])
def test_a_run_that_was_killed_while_its_batch_was_made_sends_nothing_again(plugin: str, tmp_path: Path) -> None:
    def kill(method: str, path: str) -> bool:
        if method == "POST" and path.endswith("batches"):
            process.kill()
        return method == "POST" and path.endswith("batches")

    with BatchServer() as server:
        server.lose = kill
        arguments = project(tmp_path, server, plugin)
        with start_genre(tmp_path, *arguments) as process:
            process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        server.lose = lambda *_: False
        finish(tmp_path, arguments)
        assert [len(batch.requests) for batch in server.batches] == [PROMPTS]


def stop_when_looked_at(server: BatchServer, process: "subprocess.Popen[str]", way: signal.Signals) -> None:
    """Once the batch is made and was looked at, the journal knows it."""
    looked_at = asyncio.run(waited(server))
    assert looked_at
    process.send_signal(way)


async def waited(server: BatchServer) -> bool:
    async with asyncio.timeout(60):
        while not any(batch.looks for batch in server.batches):
            await asyncio.sleep(0.01)
    return True


def test_limits_of_registry_toml_stand_over_those_of_batches(genre: Genre, tmp_path: Path, small_folder: Path) -> None:
    with BatchServer() as server:
        lines = "\n".join(f"{name} = {value}" for name, value in QUICK.items())
        (tmp_path / "registry.toml").write_text(
            f'[generators.cheap]\nplugin = "openai-batch"\nmodel = "m"\nbase_url = "{server.base_url}"\n{lines}\n'
            "limits = { concurrency = 4 }\n"
        )
        done = genre(
            "enrich", small_folder, "--task", "news-summarizer", "--generator", "cheap", "--out", tmp_path / "rich"
        )
        assert done.code == 0, done.err
        assert [len(batch.requests) for batch in server.batches] == [4, 2]
    assert "cheap: batch batch_0: 4 prompts are under way" in done.err


def test_by_default_a_whole_batch_is_in_flight(tmp_path: Path) -> None:
    with BatchServer() as server:
        limits = openai(server, tmp_path, batch_size=7).default_limits
        assert Limits(**limits).concurrency == 20_000  # type: ignore[arg-type]  # as registry.toml is structured
        assert set(limits) <= {field.name for field in attrs.fields(Limits)}
        assert anthropic(server, tmp_path).default_limits == openai(server, tmp_path).default_limits
