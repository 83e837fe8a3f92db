"""Prompts, quick batch generators of both protocols, and asking them."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from batch_server import BatchServer

from genre.parts import Completion, Message, Prompt, Sampling
from genre_generators.anthropic_batch import AnthropicBatchOptions, anthropic_batch
from genre_generators.batch_generator import BatchGenerator
from genre_generators.openai_batch import OpenAIBatchOptions, openai_batch

QUICK: Final[dict[str, Any]] = {"collect_seconds": 0.05, "poll_seconds": 0.005, "longest_poll_seconds": 0.02}
Maker = Callable[..., BatchGenerator]


def openai(server: BatchServer, journal: Path, **options: Any) -> BatchGenerator:
    """A quick `openai-batch`."""
    given = {"model": "small", "base_url": server.base_url, "journal": journal, **QUICK, **options}
    return openai_batch(OpenAIBatchOptions(**given))


def anthropic(server: BatchServer, journal: Path, **options: Any) -> BatchGenerator:
    """A quick `anthropic-batch`."""
    given = {"model": "small", "base_url": server.base_url, "journal": journal, **QUICK, **options}
    return anthropic_batch(AnthropicBatchOptions(**given))


both = pytest.mark.parametrize("make", [openai, anthropic])


def prompt(number: int = 0, **changes: Any) -> Prompt:
    """A question that no other number has."""
    messages = (Message("system", "You are brief."), Message("user", f"question {number}"))
    given = {"task": "t", "subject": f"N{number}", "draw": 0, "sampling": Sampling(max_tokens=33), **changes}
    return Prompt(messages=messages, **given)


def question(body: Any) -> str:
    """The last message of a request."""
    return str(body["messages"][-1]["content"])


def ask(generator: BatchGenerator, *prompts: Prompt) -> list[Any]:
    """What became of prompts that are asked all at once: answers and errors."""

    async def once() -> list[Completion | BaseException]:
        try:
            waiting = (generator.complete(each) for each in prompts)
            return await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 60)
        finally:
            await generator.aclose()

    return asyncio.run(once())


def leave(generator: BatchGenerator, journal: Path, *prompts: Prompt) -> None:
    """Ask, and go away as soon as the journal says that the batch is made."""

    async def once() -> None:
        waiting = [asyncio.create_task(generator.complete(each)) for each in prompts]
        async with asyncio.timeout(30):
            while not any('"batch"' in path.read_text() for path in journal.glob("*.jsonl")):
                await asyncio.sleep(0.005)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await generator.aclose()

    asyncio.run(once())
