"""The owner: the one process that writes the store and keeps the ledger while a round is on a cluster."""

import asyncio
import functools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

import attrs

from genre.errors import GenreError
from genre.generation import AnswerStore
from genre.generation.calls import DRAIN_SECONDS
from genre.generation.commits import GroupCommit
from genre.parts import AnswersStored
from genre_executors.ray_ledger import Grant, Ledger
from genre_executors.ray_rows import answer_from, answer_text
from genre_executors.sent import Failure, failure_of

BEAT_SECONDS: Final = 0.1
"""How often a worker tells how it is; it learns then whether to stop."""


@attrs.define
class OwnerMessages:
    """What the driver has not heard of yet: group commits, generators that are down, and why the round cannot go on."""

    stored: list[tuple[str, str, int]] = attrs.field(factory=list)
    down: list[tuple[str, str]] = attrs.field(factory=list)
    failure: Failure | None = None

    def __bool__(self) -> bool:
        return bool(self.stored or self.down or self.failure)


class Owner:
    """Lives in an actor on the driver's machine, where the store's file is. Its methods are called from other machines.

    Args:
        store: the store's file.
        limit: US dollars that may be spent; infinite without a budget.
        spent: what was spent of them before.
    """

    def __init__(self, store: str, limit: float, spent: float) -> None:
        self._path = Path(store)
        self._ledger = Ledger(limit, spent)
        self._messages = OwnerMessages()
        self._failed = False
        self._told_down: set[str] = set()
        self._busy: set[str] = set()
        self._changed = asyncio.Event()
        self._stopped = False

    async def open(self) -> Failure | None:
        """Open the store; what prevents it, if anything does."""
        try:
            self._store = AnswerStore(self._path)
        except GenreError as error:
            return failure_of(error)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="genre-store")
        self._commits = GroupCommit(self._store, self._thread, self._on_stored)
        return None

    async def look_up(self, keys: Sequence[bytes]) -> list[str]:
        """The final answers among `keys`: a block that is tried again finds what it was answered before."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._thread, self._store.look_up, keys)
        return [answer_text(answer) for answer in found.values()]

    async def put(self, answers: Sequence[str]) -> Failure | None:
        """Return when all of them are on disk, or why they are not."""
        loop = asyncio.get_running_loop()
        outcomes: list[asyncio.Future[GenreError | None]] = [loop.create_future() for _ in answers]
        for text, outcome in zip(answers, outcomes, strict=True):
            self._commits.add(answer_from(text), functools.partial(_tell, outcome))
        errors = (error for error in await asyncio.gather(*outcomes) if error is not None)
        return next(map(failure_of, errors), None)

    async def beat(self, worker: str, spent: float, unused: float, busy: bool) -> tuple[bool, bool]:
        """A worker is alive and spent so much. Tells it whether to stop, and whether money is scarce."""
        self._ledger.report(worker, spent, unused)
        (self._busy.add if busy else self._busy.discard)(worker)
        self._changed.set()
        return self._stopped, self._ledger.is_scarce

    async def lease(self, worker: str, spent: float, unused: float, amount: float) -> Grant:
        """Lend a worker money, see `Ledger`."""
        self._ledger.report(worker, spent, unused)
        lent = await self._ledger.lease(worker, amount)
        return lent, self._ledger.limit, self._ledger.spent

    async def down(self, name: str, reason: str) -> None:
        """A generator answers nothing any more; told once."""
        if name not in self._told_down:
            self._told_down.add(name)
            self._messages.down.append((name, reason))
            self._changed.set()

    async def fail(self, failure: Failure) -> None:
        """The round cannot go on: the first reason is told, and every worker stops."""
        if not self._stopped:
            self._messages.failure = failure
        self._stopped = True
        self._changed.set()

    async def messages(self) -> OwnerMessages:
        """Wait until there is something to tell, and tell it."""
        while not self._messages:
            await self._change()
        messages, self._messages = self._messages, OwnerMessages()
        return messages

    async def stop(self) -> None:
        """Let every worker stop, and wait until they have: answers to calls in flight are paid."""
        self._stopped = True
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS + 2 * BEAT_SECONDS):
                while self._busy:
                    await self._change()

    async def close(self) -> tuple[OwnerMessages, float]:
        """Write what is left; the last messages, and what was spent at most."""
        await self._commits.close()
        self._thread.shutdown()
        self._store.close()
        return self._messages, self._ledger.committed

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _on_stored(self, event: AnswersStored) -> None:
        self._messages.stored.append((event.task, event.generator, event.count))
        self._changed.set()


def _tell(outcome: "asyncio.Future[GenreError | None]", failure: GenreError | None) -> None:
    if not outcome.done():  # whoever waits may have been cancelled
        outcome.set_result(failure)
