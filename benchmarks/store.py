"""The store: how long a round takes that is answered already, and how much memory a very long round."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.apart import apart
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
        first = apart(_ask, Path(name) / "reuse.sqlite", STORED)
        again = apart(_ask, Path(name) / "reuse.sqlite", STORED)
        long = apart(_ask, Path(name) / "long.sqlite", LONG)
    return {
        "write_100k_seconds": first.seconds,
        "reuse_100k_seconds": again.seconds,
        "reuse_calls": again.result,
        "million_prompts_seconds": long.seconds,
        "million_prompts_peak_mib": long.peak_mib,
    }


def _ask(path: Path, count: int) -> int:
    """The calls that it took to have so many prompts answered."""
    generator = Counting()

    async def run(store: AnswerStore) -> int:
        routing = Routing.to(generator, Limits(concurrency=256), "fixed")
        answered = 0
        async for item in Engine(store).answers(_prompts(count), routing):
            answered += item.answer is not None
        return answered

    with closing(AnswerStore(path)) as store:
        answered = asyncio.run(run(store))
    assert answered == count
    return generator.calls


def _prompts(count: int) -> Iterator[Prompt]:
    for number in range(count):
        messages = (Message("user", f"a question about number {number}"),)
        yield Prompt("benchmark", f"S{number}", 0, messages, Sampling(max_tokens=400))
