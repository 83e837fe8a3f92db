"""The store: how long a round takes that is answered already, and how much memory a very long round."""

import asyncio
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from genre.generation import AnswerStore, Engine, Limits, Routing
from genre.parts import Completion, Identity, Message, Prompt, Sampling, Usage

STORED = 100_000
LONG = 1_000_000
TEXT = "x" * 1_000


class Counting:
    """A generator that answers at once, and counts."""

    identity = Identity("fixed", "benchmark")

    def __init__(self) -> None:
        self.calls = 0

    async def complete(self, prompt: Prompt) -> Completion:  # noqa: ARG002  the contract passes it
        """A kilobyte."""
        self.calls += 1
        return Completion(TEXT, "fixed", usage=Usage(100, 200))


def measure() -> dict[str, object]:
    """Each figure in a process of its own, so that its memory is its own."""
    with tempfile.TemporaryDirectory() as name:
        first = _ask_apart(Path(name) / "reuse.sqlite", STORED)
        again = _ask_apart(Path(name) / "reuse.sqlite", STORED)
        long = _ask_apart(Path(name) / "long.sqlite", LONG)
    return {
        "write_100k_seconds": first["seconds"],
        "reuse_100k_seconds": again["seconds"],
        "reuse_calls": again["calls"],
        "million_prompts_seconds": long["seconds"],
        "million_prompts_peak_mib": long["peak_mib"],
    }


def _ask(path: Path, count: int) -> dict[str, float]:
    generator = Counting()

    async def run(store: AnswerStore) -> int:
        routing = Routing.to(generator, Limits(concurrency=256), "fixed")
        answered = 0
        async for item in Engine(store).answers(_prompts(count), routing):
            answered += item.answer is not None
        return answered

    with closing(AnswerStore(path)) as store:
        start = time.perf_counter()
        answered = asyncio.run(run(store))
        seconds = time.perf_counter() - start
    assert answered == count
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": round(seconds, 2), "calls": generator.calls, "peak_mib": round(peak, 1)}


def _prompts(count: int) -> Iterator[Prompt]:
    for number in range(count):
        messages = (Message("user", f"a question about number {number}"),)
        yield Prompt("benchmark", f"S{number}", 0, messages, Sampling(max_tokens=400))


def _ask_apart(path: Path, count: int) -> dict[str, float]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_ask, (path, count))
