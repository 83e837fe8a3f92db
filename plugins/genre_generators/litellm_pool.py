"""Worker processes for litellm: each prompt goes to the one with the fewest calls, and one that dies is replaced."""

import asyncio
from typing import Final

import attrs

from genre.parts import Completion, Fatal, Prompt
from genre_generators.chat_errors import MESSAGE_LENGTH, plain
from genre_generators.litellm_errors import without_keys
from genre_generators.litellm_messages import configuration_line
from genre_generators.litellm_options import LiteLLMOptions
from genre_generators.litellm_process import WorkerProcess

MOST_DEATHS: Final = 3
"""Processes that may die one after another without a single outcome of a call."""
START_SECONDS: Final = 180.0
"""Longest time that loading litellm may take; on an idle machine it takes 4 seconds."""
SILENCE_SECONDS: Final = 60.0
"""How much longer than a call's own time a worker may be silent about it before it is taken to hang."""


class WorkerPool:
    """So many worker processes as the option `workers` says, each started when it is first needed.

    Args:
        key: the value of the option `api_key`, None without it; workers are told it on their standard input.
    """

    def __init__(self, options: LiteLLMOptions, key: str | None) -> None:
        self._workers = [_Worker(options, key) for _ in range(options.workers)]

    async def complete(self, prompt: Prompt) -> Completion:
        """Answer one prompt.

        Raises:
            GenerationError: one of its subclasses; `Transient` when the worker died.
            UsageError: before any call: an unknown provider, or no key for it.
        """
        return await min(self._workers, key=_in_flight).complete(prompt)

    async def aclose(self) -> None:
        """End the processes."""
        await asyncio.gather(*(worker.aclose() for worker in self._workers))


def _in_flight(worker: "_Worker") -> int:
    return worker.in_flight


@attrs.define(eq=False)
class _Worker:
    """A process at a time, and the calls that wait for it or are under way in it."""

    _options: LiteLLMOptions
    _key: str | None = attrs.field(repr=False)
    in_flight: int = 0
    _deaths: int = 0
    _process: WorkerProcess | None = None
    _starting: asyncio.Lock = attrs.field(factory=asyncio.Lock)

    async def complete(self, prompt: Prompt) -> Completion:
        self.in_flight += 1
        try:
            process = await self._running()
            return await process.ask(prompt)
        finally:
            self.in_flight -= 1

    async def aclose(self) -> None:
        async with self._starting:
            if self._process is not None:
                await self._process.aclose()

    async def _running(self) -> WorkerProcess:
        async with self._starting:
            if self._process is None or self._process.ended:
                self._count_death(self._process)
                configuration = configuration_line(self._options, self._key)
                self._process = await WorkerProcess.start(
                    configuration, longest_start=START_SECONDS, longest_call=self._options.timeout + SILENCE_SECONDS
                )
            return self._process

    def _count_death(self, process: WorkerProcess | None) -> None:
        if process is None or process.refused is not None:
            return
        self._deaths = 0 if process.answered else self._deaths + 1
        if self._deaths >= MOST_DEATHS:
            # Cut after keys are taken out, so that no half of one is left.
            words = plain(without_keys(process.last_words, self._key)[-MESSAGE_LENGTH:])
            raise Fatal(f"{MOST_DEATHS} worker processes of litellm died one after another: {words or 'no word why'}")
