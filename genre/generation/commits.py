"""Group commits: answers that arrive together are written together, so that a full sync is paid once for many."""

import asyncio
import collections
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, Protocol, TypeAlias

from genre.errors import GenreError, RunError
from genre.generation.store import StoredAnswer
from genre.parts import AnswersStored

COMMIT_SECONDS: Final = 0.02
COMMIT_ROWS: Final = 256
Written: TypeAlias = Callable[[GenreError | None], None]
"""Told that an answer is on disk, or why it never will be."""


class KeyedAnswers(Protocol):
    """All that an engine asks of a store. `AnswerStore` is one, and so is what stands for it in another process."""

    def look_up(self, keys: Sequence[bytes]) -> Mapping[bytes, StoredAnswer]:
        """The final answers among `keys`.

        Raises:
            RunError: they cannot be read.
        """

    def put(self, answers: Iterable[StoredAnswer]) -> None:
        """Return when the answers are on disk. A final answer is never replaced.

        Raises:
            RunError: they cannot be written.
        """


class GroupCommit:
    """Collects answers and writes them in groups, so that a full sync is paid once for many."""

    def __init__(
        self, store: KeyedAnswers, thread: ThreadPoolExecutor, on_stored: Callable[[AnswersStored], None]
    ) -> None:
        self._store = store
        self._thread = thread
        self._on_stored = on_stored
        self._pending: list[tuple[StoredAnswer, Written]] = []
        self._unwritten = 0
        self._written = asyncio.Event()
        self._arrived = asyncio.Event()
        self._full = asyncio.Event()
        self._closing = False
        self._failure: GenreError | None = None
        self._writer = asyncio.create_task(self._write())

    def add(self, answer: StoredAnswer, written: Written) -> None:
        """Write the answer with the next group, and then call `written`."""
        if self._failure is not None:
            written(self._failure)
            return
        self._pending.append((answer, written))
        self._unwritten += 1
        self._arrived.set()
        if len(self._pending) >= COMMIT_ROWS:
            self._full.set()

    async def room(self) -> None:
        """Return when less than a whole group is not on disk: whatever is not may be paid twice, so it is bounded.

        Raises:
            RunError: an answer could not be written: nothing may be paid any more.
        """
        while self._unwritten >= COMMIT_ROWS and self._failure is None:
            self._written.clear()
            await self._written.wait()
        if self._failure is not None:
            raise self._failure

    @property
    def failed(self) -> bool:
        """Whether some answer could not be written."""
        return self._failure is not None

    async def close(self) -> None:
        """Write what is left and stop."""
        self._closing = True
        self._arrived.set()
        self._full.set()
        await self._writer

    async def _write(self) -> None:
        try:
            while not self._closing or self._pending:
                await self._arrived.wait()
                with suppress(TimeoutError):
                    async with asyncio.timeout(COMMIT_SECONDS):  # `wait_for` of Python 3.11 may swallow an interrupt
                        await self._full.wait()
                await self._commit()
        except asyncio.CancelledError:
            # The loop is torn down, as by a second Ctrl-C: what was paid is written all the same.
            self._thread.submit(self._store.put, [answer for answer, _ in self._pending]).result()
            raise

    async def _commit(self) -> None:
        group, self._pending = self._pending, []
        if not self._closing:
            self._arrived.clear()
            self._full.clear()
        if not group:
            return
        answers = [answer for answer, _ in group]
        try:
            # Shielded: a write that was handed over is never taken back.
            await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, self._store.put, answers))
        except GenreError as error:
            self._failure = error
        except Exception as error:  # noqa: BLE001  whatever it was: callers wait to be told
            self._failure = RunError(f"the answer store failed: {error!r}")
        self._unwritten -= len(group)
        self._written.set()
        failure = self._failure or self._tell(answers)
        for _, written in group:
            written(failure)

    def _tell(self, answers: Sequence[StoredAnswer]) -> RunError | None:
        """Why a listener could not be told. The answers are on disk, and later ones are written all the same."""
        per_task = collections.Counter((answer.task, answer.generator) for answer in answers)
        try:
            for (task, generator), count in per_task.items():
                self._on_stored(AnswersStored(task, generator, count))
        except Exception as error:  # noqa: BLE001  whatever it was: callers wait to be told
            return RunError(f"a listener of stored answers failed: {error!r}")
        return None
