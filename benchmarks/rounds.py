"""Whole rounds that are timed, as suites run them: the same code that `genre enrich` runs, without a terminal."""

import asyncio
import gc
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

import attrs
import polars as pl

from genre.cli.main import COLLECTION_THRESHOLDS
from genre.dataset import Dataset, assemble
from genre.generation import AnswerStore, Budget, Engine, RoundReport, RoundSpec, prepare_round, run_rounds
from genre.generation.pool import generator_pool
from genre.registry import Registry
from genre.settings import Layer, load_settings

LATENCY: Final = 0.05
"""Seconds that the server takes for an answer."""
REPEATS: Final = 5
PROCESSES: Final = {"server": "benchmarks.chat_server", "workers": "genre_generators.worker"}
"""Modules that processes beside this one run."""


def alone() -> int:
    """Make this process run on one CPU, as `genre` does with garbage, and return the one that is left for a server."""
    gc.set_threshold(*COLLECTION_THRESHOLDS)
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[0]})
    return cores[-1]


@contextmanager
def all_cores() -> Iterator[list[int]]:
    """Let this process and those that it starts run on every CPU."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        yield sorted(os.sched_getaffinity(0))
    finally:
        os.sched_setaffinity(0, before)


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


def each_process() -> dict[str, float]:
    """CPU seconds so far of this process, the servers, and the workers that run."""
    seconds = {"here": time.process_time(), **dict.fromkeys(PROCESSES, 0.0)}
    for thread in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # threads end while they are looked at
            for child in (thread / "children").read_text().split():
                command = Path("/proc", child, "cmdline").read_text()
                for name, module in PROCESSES.items():
                    if module in command.split("\0"):
                        fields = Path("/proc", child, "stat").read_text().rpartition(")")[2].split()
                        seconds[name] += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return seconds


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
