"""The engine against a server of 50 ms on loopback: how near it comes to what the limits allow, and what it costs."""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import aiohttp
import attrs
import polars as pl

from benchmarks.chat_server import serving
from genre.dataset import Dataset, assemble
from genre.generation import AnswerStore, Budget, Engine, RoundReport, RoundSpec, prepare_round, run_rounds
from genre.generation.pool import generator_pool
from genre.parts import Message
from genre.registry import Registry
from genre.settings import Layer, load_settings

LATENCY = 0.05
CALLS = 5_000
LIMITED_CALLS, PER_MINUTE, LIMITED_IN_FLIGHT = 300, 1_200.0, 64
REPEATS = 3


def measure() -> dict[str, object]:
    """Medians of a few runs; the server has a CPU of its own where there are two."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, {cores[0]})
    figures: dict[str, object] = {}
    with serving(latency=LATENCY, core=cores[-1]) as address:
        for in_flight in (64, 256):
            runs = [_compare(address, in_flight) for _ in range(REPEATS)]
            best = in_flight / LATENCY
            for name, column in (("efficiency", 0), ("bare_efficiency", 1)):
                figures[f"{name}_{in_flight}"] = round(statistics.median(run[column] for run in runs) / best, 3)
            figures[f"engine_cpu_ms_per_call_{in_flight}"] = round(statistics.median(run[2] for run in runs), 3)
    figures["engine_cpu_ms_per_call"] = figures["engine_cpu_ms_per_call_64"]
    with serving(latency=LATENCY, per_minute=PER_MINUTE, core=cores[-1]) as address:
        figures["rate_limited"] = _rate_limited(address)
    return {**figures, "calls": CALLS, "latency": LATENCY, "runs": REPEATS}


def _compare(address: str, in_flight: int) -> tuple[float, float, float]:
    """Calls a second of the engine and of a bare loop, and the engine's further CPU in ms a call."""
    bare_seconds, bare_cpu = asyncio.run(_bare_loop(address, in_flight))
    done = whole_round(_served(address, in_flight), CALLS)
    assert done.report.records == CALLS
    return CALLS / done.seconds, CALLS / bare_seconds, 1000 * (done.cpu["here"] - bare_cpu) / CALLS


def _served(address: str, in_flight: int) -> dict[str, object]:
    return {
        "plugin": "openai-compatible",
        "base_url": f"{address}/v1",
        "model": "fixed",
        "limits": {"concurrency": in_flight},
        "price": {"prompt": 0.1, "completion": 0.1},
    }


@attrs.frozen
class Done:
    """A round that was timed.

    Attributes:
        cpu: CPU seconds by process: this one is `here`.
    """

    seconds: float
    cpu: Mapping[str, float]
    report: RoundReport


def this_process() -> dict[str, float]:
    """CPU seconds so far."""
    return {"here": time.process_time()}


def whole_round(
    generator: Mapping[str, object],
    calls: int,
    *,
    warm_up: int = 0,
    cpu: Callable[[], Mapping[str, float]] = this_process,
) -> Done:
    """Time a whole round: rendering, calls, budget, store, parsing, records, update.

    Args:
        generator: its table in registry.toml.
        warm_up: news of a round that goes before and is not timed.
        cpu: CPU seconds so far, by process.
    """
    settings = load_settings().over(Layer("benchmark", {"generators": {"bench": generator}}))
    registry = Registry.load(settings)
    prepared = prepare_round(registry, RoundSpec("news-summarizer", generator="bench"))

    async def run(store: AnswerStore, folder: Path) -> Done:
        async with generator_pool(registry) as pool:
            engine = Engine(store, budget=Budget(limit=1e6))
            if warm_up:
                await run_rounds(
                    news(warm_up, ("Before", "Before")), [prepared], pool, engine, folder=folder / "before"
                )
            dataset = news(calls)
            start, before = time.perf_counter(), cpu()
            _, [report] = await run_rounds(dataset, [prepared], pool, engine, folder=folder / "timed")
            after = cpu()
            return Done(time.perf_counter() - start, {name: after[name] - before[name] for name in after}, report)

    with tempfile.TemporaryDirectory() as name, closing(AnswerStore(Path(name) / "answers.sqlite")) as store:
        return asyncio.run(run(store, Path(name)))


async def _bare_loop(address: str, in_flight: int) -> tuple[float, float]:
    """Seconds and CPU seconds of nothing but a client: the same requests, answers read as JSON."""
    messages = [Message("user", "word " * 60)]
    body = {"model": "fixed", "messages": [{"role": each.role, "content": each.content} for each in messages]}
    places = asyncio.Semaphore(in_flight)

    async def call(session: aiohttp.ClientSession) -> None:
        async with places, session.post(f"{address}/v1/chat/completions", json=body) as response:
            await response.json()

    start, cpu = time.perf_counter(), time.process_time()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(call(session) for _ in range(CALLS)))
    return time.perf_counter() - start, time.process_time() - cpu


def _rate_limited(address: str) -> dict[str, object]:
    """A server that allows 1,200 requests a minute: what is lost, and how many more are sent than answered."""
    done = whole_round(_served(address, LIMITED_IN_FLIGHT), LIMITED_CALLS)
    counts = asyncio.run(_counts(address))
    return {
        "prompts": LIMITED_CALLS,
        "answered": done.report.records,
        "sent": counts["requests"],
        "sent_per_prompt": round(counts["requests"] / LIMITED_CALLS, 3),
        "seconds": round(done.seconds, 1),
    }


async def _counts(address: str) -> dict[str, int]:
    async with aiohttp.ClientSession() as session, session.get(f"{address}/counts") as response:
        counts: dict[str, int] = await response.json()
        return counts


def news(
    count: int, texts: Sequence[str] = ("A title of several words about number", "An abstract about number")
) -> Dataset:
    """So many news, and one reader who saw two of them."""
    rows = pl.DataFrame(
        {
            "id": [f"N{number}" for number in range(count)],
            "category": ["news"] * count,
            "title": [f"{texts[0]} {number}" for number in range(count)],
            "abstract": [f"{texts[1]} {number}" for number in range(count)],
        }
    )
    behaviors = pl.DataFrame(
        {
            "impression": ["1"],
            "split": ["train"],
            "user": ["U"],
            "time": [None],
            "history": [["N0"]],
            "candidates": [["N0", "N1"]],
            "labels": [[1, 0]],
            "file": ["benchmark"],
            "line": [1],
        }
    )
    return assemble(rows, behaviors, source={"reader": "benchmark"})
