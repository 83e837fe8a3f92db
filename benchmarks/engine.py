"""The engine against a server of 50 ms on loopback: how near it comes to what the limits allow, and what it costs."""

import asyncio
import statistics
import time
from collections.abc import Sequence
from typing import Final

import aiohttp

from benchmarks.chat_server import serving
from benchmarks.litellm_calls import measure_litellm
from benchmarks.rounds import LATENCY, REPEATS, all_cores, alone, each_process, whole_round
from genre.parts import Message

WAVES: Final = 80
"""Calls for each place among those in flight: a run takes 4 seconds at best, whatever the concurrency."""
WORKERS: Final = 1
"""Worker processes at 256 in flight; on two CPUs, which the server shares, two reached no more."""
LIMITED_CALLS, PER_MINUTE, LIMITED_IN_FLIGHT = 300, 1_200.0, 64


def measure() -> dict[str, object]:
    """Medians of a few runs.

    `efficiency_256` is measured with worker processes, as docs/how-to/openai-compatible.md advises at such rates:
    `workers_256` of them, loaded before the time starts, and every process free to run on every CPU.
    `efficiency_256_one_process` is the same round without workers, in turn with it; like all other figures it is that
    of one process on one CPU, with the server on another where there is one. Bare loops are one process, too.
    """
    with all_cores(), serving(latency=LATENCY) as anywhere:
        core = alone()
        with serving(latency=LATENCY, core=core) as apart:
            at_64 = [_one_process(apart, 64) for _ in range(REPEATS)]
            at_256 = [{**_one_process(apart, 256), **_with_workers(anywhere, 256)} for _ in range(REPEATS)]
        with serving(latency=LATENCY, per_minute=PER_MINUTE, core=core) as address:
            limited = _rate_limited(address)
    figures = {**_medians(at_64), **_medians(at_256)}
    figures["efficiency_64"] = figures.pop("efficiency_64_one_process")
    return {
        **figures,
        "engine_cpu_ms_per_call": figures["engine_cpu_ms_per_call_64"],
        "workers_256": WORKERS,
        "rate_limited": limited,
        "litellm": measure_litellm(),
        "waves": WAVES,
        "latency": LATENCY,
        "runs": REPEATS,
    }


def _medians(runs: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: round(statistics.median(run[name] for run in runs), 3) for name in runs[0]}


def _one_process(address: str, in_flight: int) -> dict[str, float]:
    """Shares of the possible calls a second of the engine and of a bare loop; the engine's further CPU in ms a call."""
    calls = WAVES * in_flight
    bare_seconds, bare_cpu = asyncio.run(_bare_loop(address, in_flight, calls))
    done = whole_round(_served(address, in_flight), calls)
    assert done.report.records == calls
    best = WAVES * LATENCY
    return {
        f"efficiency_{in_flight}_one_process": best / done.seconds,
        f"bare_efficiency_{in_flight}": best / bare_seconds,
        f"engine_cpu_ms_per_call_{in_flight}": 1000 * (done.cpu["here"] - bare_cpu) / calls,
    }


def _with_workers(address: str, in_flight: int) -> dict[str, float]:
    """The share with worker processes, and the CPU of every process in ms a call."""
    calls = WAVES * in_flight
    with all_cores():
        generator = {**_served(address, in_flight), "workers": WORKERS}
        done = whole_round(generator, calls, warm_up=2 * in_flight, cpu=each_process)
    assert done.report.records == calls
    cpu = {f"{name}_cpu_ms_per_call_{in_flight}": 1000 * seconds / calls for name, seconds in done.cpu.items()}
    return {
        f"efficiency_{in_flight}": WAVES * LATENCY / done.seconds,
        f"parent_cpu_ms_per_call_{in_flight}": cpu.pop(f"here_cpu_ms_per_call_{in_flight}"),
        **cpu,
    }


def _served(address: str, in_flight: int) -> dict[str, object]:
    return {
        "plugin": "openai-compatible",
        "base_url": f"{address}/v1",
        "model": "fixed",
        "limits": {"concurrency": in_flight},
        "price": {"prompt": 0.1, "completion": 0.1},
    }


async def _bare_loop(address: str, in_flight: int, calls: int) -> tuple[float, float]:
    """Seconds and CPU seconds of nothing but a client: the same requests, answers read as JSON."""
    messages = [Message("user", "word " * 60)]
    body = {"model": "fixed", "messages": [{"role": each.role, "content": each.content} for each in messages]}
    places = asyncio.Semaphore(in_flight)

    async def call(session: aiohttp.ClientSession) -> None:
        async with places, session.post(f"{address}/v1/chat/completions", json=body) as response:
            await response.json()

    start, cpu = time.perf_counter(), time.process_time()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(call(session) for _ in range(calls)))
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
