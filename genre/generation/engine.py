"""The engine: asks a generator many prompts at once, retries what is worth it, and stores every answer first.

Answers come back in the order of the prompts, whoever answered first, and each is on disk before it is handed out.
"""

import asyncio
import collections
import itertools
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Final

import attrs

from genre.generation.budget import Budget
from genre.generation.calls import Call, Calls
from genre.generation.commits import GroupCommit, KeyedAnswers
from genre.generation.routing import Routing
from genre.generation.store import StoredAnswer
from genre.parts import AnswersStored, Prompt

LOOK_UP_CHUNK: Final = 64
"""Prompts whose keys are looked up in one query; meanwhile no answer is taken."""
STORED_CHUNK: Final = 256
"""The same where all prompts of the query before were answered already."""
READ_AHEAD: Final = 4096
"""Prompts that may wait behind a slow one for their turn; bounds memory."""


@attrs.frozen
class Answered:
    """A prompt and what became of it.

    Attributes:
        answer: None when the generator was told to leave such prompts out.
        reused: no call was made for it: it was in the store, or another prompt asked the same.
    """

    prompt: Prompt
    answer: StoredAnswer | None
    reused: bool


class Engine:
    """Drives generators over one store, within one budget.

    Args:
        store: where answers go and come from.
        on_stored: told after each group commit; it runs on the event loop, so it must be quick.
        budget: US dollars that all rounds together may cost; default: no limit.
        on_route_down: told once of each generator that answers nothing any more while others go on, and why.
        on_slowed: told of each generator how many calls a second are begun at most, when its rate limits have lowered
            that for the first time, and whenever they have halved it since; None while too few answers tell how many.
    """

    def __init__(
        self,
        store: KeyedAnswers,
        on_stored: Callable[[AnswersStored], None] | None = None,
        *,
        budget: Budget | None = None,
        on_route_down: Callable[[str, str], None] | None = None,
        on_slowed: Callable[[str, float | None], None] | None = None,
    ) -> None:
        self._store = store
        self._on_stored = on_stored or (lambda _: None)
        self._on_route_down = on_route_down or (lambda *_: None)
        self._on_slowed = on_slowed or (lambda *_: None)
        self.budget = budget or Budget()

    async def answers(self, prompts: Iterable[Prompt], routing: Routing) -> AsyncGenerator[Answered, None]:
        """Answer every prompt, from the store where it can.

        Args:
            prompts: read lazily, a bounded number ahead.
            routing: who may answer.

        Raises:
            RunError: nobody can answer any prompt, or the budget is used up; what was answered until then is stored.
        """
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="genre-store") as thread:
            commits = GroupCommit(self._store, thread, self._on_stored)
            calls = Calls(routing, commits, self.budget, self._on_route_down, self._on_slowed)
            try:
                async with aclosing(self._in_order(iter(prompts), calls, thread)) as answered:
                    async for item in answered:
                        yield item
            finally:
                try:
                    await calls.close()
                finally:
                    await commits.close()
                if not commits.failed:
                    calls.tell_stored()

    async def _in_order(
        self, prompts: Iterator[Prompt], calls: Calls, thread: ThreadPoolExecutor
    ) -> AsyncGenerator[Answered, None]:
        waiting: collections.deque[_Waiting] = collections.deque()
        # No fewer than may be in flight: a provider's batch has thousands.
        read_ahead = max(READ_AHEAD, calls.concurrency)
        loop = asyncio.get_running_loop()
        exhausted, size = False, LOOK_UP_CHUNK
        while waiting or not exhausted:
            calls.check()
            while not exhausted and len(waiting) < read_ahead and (calls.wants_more or not waiting):
                chunk = [calls.question(prompt) for prompt in itertools.islice(prompts, size)]
                exhausted = len(chunk) < size
                keys = [key for question in chunk for key in question.keys.answers]
                stored = await loop.run_in_executor(thread, self._store.look_up, keys)
                calls.check()
                answers = [question.answer_in(stored) for question in chunk]
                size = STORED_CHUNK if all(answers) else LOOK_UP_CHUNK
                for question, found in zip(chunk, answers, strict=True):
                    call, is_new = calls.ask(question) if found is None else (Call(question, found, True), False)
                    waiting.append(_Waiting(question.prompt, call, reused=not is_new))
            if not waiting:
                continue
            if not waiting[0].call.is_over:
                await calls.wait(waiting[0].call, refill=not exhausted and len(waiting) < read_ahead)
                continue
            yield waiting.popleft().answered()


@attrs.frozen(eq=False)
class _Waiting:
    """A prompt whose turn has not come."""

    prompt: Prompt
    call: Call
    reused: bool

    def answered(self) -> Answered:
        return Answered(self.prompt, self.call.answer, self.reused)
