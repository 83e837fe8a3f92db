"""Worker processes: each question goes to the one with the fewest calls, and one that dies is replaced."""

import asyncio
from typing import TYPE_CHECKING, Final

import attrs

from genre.parts import Fatal, Json
from genre_generators.chat_errors import MESSAGE_LENGTH, plain, without_keys
from genre_generators.worker_lines import Said
from genre_generators.worker_messages import BEGIN_NO_MORE, Configuration
from genre_generators.worker_process import WorkerProcess

if TYPE_CHECKING:
    from genre_generators.litellm_options import LiteLLMOptions
    from genre_generators.openai_compatible_options import OpenAICompatibleOptions

MOST_DEATHS: Final = 3
"""Processes that may die one after another without a single outcome of a call."""
START_SECONDS: Final = 180.0
"""Longest time that a start may take; on an idle machine litellm, which is the slowest to load, takes 4 seconds."""
SILENCE_SECONDS: Final = 60.0
"""How much longer than a call's own time a worker may be silent about it before it is taken to hang."""


class WorkerPool:
    """So many worker processes as the option `workers` says, each started when it is first needed.

    Args:
        caller: who makes the calls there, by its name in the worker's table.
        options: of the generator.
        key: the value of the option `api_key`, None without it; workers are told it on their standard input.
        most_in_flight: calls that all workers together may have under way; what they are asked beyond that waits in
            them. None for as many as they are asked.
    """

    def __init__(
        self,
        caller: str,
        options: "LiteLLMOptions | OpenAICompatibleOptions",
        key: str | None,
        most_in_flight: int | None = None,
    ) -> None:
        told = Configuration(caller, attrs.asdict(options), key)
        # Where calls wait in the worker, one may have waited as long as another took.
        longest = options.timeout * (1 if most_in_flight is None else 2) + SILENCE_SECONDS
        shares = _shares(most_in_flight, options.workers)
        self._workers = [_Worker(attrs.evolve(told, most_in_flight=share), longest) for share in shares]

    async def ask(self, question: Said, shared: Json = None) -> Said:
        """The answer to a question.

        Args:
            shared: what belongs to many questions; a worker is told it once while it is the same object.

        Raises:
            GenerationError: one of its subclasses; `Transient` when the worker died.
            UsageError: before any call, when the caller cannot make any: of litellm an unknown provider, or no key.
        """
        worker = min(self._workers, key=_in_flight)
        worker.in_flight += 1
        try:
            return await (worker.at_work or await worker.running()).ask(question, shared)
        finally:
            worker.in_flight -= 1

    def send_no_more(self) -> None:
        """What waits in the workers is not begun: it fails as `Transient`."""
        for worker in self._workers:
            if worker.at_work is not None:
                worker.at_work.outbox.put(BEGIN_NO_MORE)

    async def aclose(self) -> None:
        """End the processes."""
        await asyncio.gather(*(worker.aclose() for worker in self._workers))


def _shares(most_in_flight: int | None, workers: int) -> list[int | None]:
    """How many calls each worker may have under way: one at least, so there may be fewer workers."""
    if most_in_flight is None:
        return [None] * workers
    workers = min(workers, most_in_flight)
    return [most_in_flight // workers + (number < most_in_flight % workers) for number in range(workers)]


def _in_flight(worker: "_Worker") -> int:
    return worker.in_flight


@attrs.define(eq=False)
class _Worker:
    """A process at a time; `in_flight` are the calls that wait for it or are under way in it."""

    _told: Configuration
    _longest_call: float
    in_flight: int = 0
    _deaths: int = 0
    _process: WorkerProcess | None = None
    _starting: asyncio.Lock = attrs.field(factory=asyncio.Lock)

    @property
    def at_work(self) -> WorkerProcess | None:
        """The process, if there is one that runs."""
        process = self._process
        return None if process is None or process.ended else process

    async def running(self) -> WorkerProcess:
        """The process, or another in its place.

        Raises:
            Fatal: too many died one after another.
        """
        async with self._starting:
            if self._process is None or self._process.ended:
                self._count_death(self._process)
                self._process = await WorkerProcess.start(
                    self._told, longest_start=START_SECONDS, longest_call=self._longest_call
                )
            return self._process

    async def aclose(self) -> None:
        async with self._starting:
            process, self._process = self._process, None  # its end is no death
            if process is not None:
                await process.aclose()

    def _count_death(self, process: WorkerProcess | None) -> None:
        if process is None or process.refused is not None:
            return
        self._deaths = 0 if process.answered else self._deaths + 1
        if self._deaths >= MOST_DEATHS:
            # Cut after keys are taken out, so that no half of one is left.
            words = plain(without_keys(process.last_words, self._told.key)[-MESSAGE_LENGTH:])
            raise Fatal(f"{MOST_DEATHS} worker processes died one after another: {words or 'no word why'}")
