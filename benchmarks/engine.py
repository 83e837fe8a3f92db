"""The engine against a server of 50 ms on loopback: how near it comes to what the limits allow, and what it costs."""

import asyncio
import os
import statistics
import time
from typing import Final

import aiohttp

from benchmarks.chat_server import serving
from benchmarks.litellm_calls import measure_litellm
from benchmarks.rounds import LATENCY, REPEATS, alone, whole_round
from genre.parts import Message

WAVES: Final = 80
"""Calls for each place among those in flight: a run takes 4 seconds at best, whatever the concurrency."""
LIMITED_CALLS, PER_MINUTE, LIMITED_IN_FLIGHT = 300, 1_200.0, 64


def measure() -> dict[str, object]:
    """Medians of a few runs; the server has a CPU of its own where there are two."""
    cores = os.sched_getaffinity(0)
    core = alone()
    figures: dict[str, object] = {}
    with serving(latency=LATENCY, core=core) as address:
        for in_flight in (64, 256):
            runs = [_compare(address, in_flight) for _ in range(REPEATS)]
            for number, name in enumerate(("efficiency", "bare_efficiency", "engine_cpu_ms_per_call")):
                figures[f"{name}_{in_flight}"] = round(statistics.median(run[number] for run in runs), 3)
    figures["engine_cpu_ms_per_call"] = figures["engine_cpu_ms_per_call_64"]
    with serving(latency=LATENCY, per_minute=PER_MINUTE, core=core) as address:
        figures["rate_limited"] = _rate_limited(address)
    os.sched_setaffinity(0, cores)
    return {**figures, "litellm": measure_litellm(), "waves": WAVES, "latency": LATENCY, "runs": REPEATS}


def _compare(address: str, in_flight: int) -> tuple[float, float, float]:
    """Share of the possible calls a second of the engine and of a bare loop; the engine's further CPU in ms a call."""
    calls = WAVES * in_flight
    bare_seconds, bare_cpu = asyncio.run(_bare_loop(address, in_flight, calls))
    done = whole_round(_served(address, in_flight), calls)
    assert done.report.records == calls
    best = WAVES * LATENCY
    return best / done.seconds, best / bare_seconds, 1000 * (done.cpu["here"] - bare_cpu) / calls


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
