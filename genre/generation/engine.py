"""The engine: asks a generator many prompts at once, retries what is worth it, and stores every answer first.

Answers come back in the order of the prompts, whoever answered first, and each is on disk before it is handed out.
"""

import asyncio
import collections
import itertools
import random
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from typing import Final

import attrs

from genre.errors import GenreError, RunError
from genre.generation.store import AnswerStore, State, StoredAnswer, answer_key
from genre.parts import (
    AnswersStored,
    Completion,
    Fatal,
    Generator,
    Prompt,
    RateLimited,
    Refused,
    Skipped,
    Transient,
)

COMMIT_SECONDS: Final = 0.02
COMMIT_ROWS: Final = 256
LOOK_UP_CHUNK: Final = 256
"""Prompts whose keys are looked up in one query."""
READ_AHEAD: Final = 4096
"""Prompts that may wait behind a slow one for their turn; bounds memory."""


@attrs.frozen
class Limits:
    """How hard a generator is driven: the table `limits` of a generator in registry.toml.

    Attributes:
        concurrency: calls in flight.
        attempts: tries for each prompt; rate limits do not use any up.
        backoff: seconds before the second try, doubled for each further one, with jitter.
        longest_backoff: upper bound of one wait, seconds.
        patience: seconds of nothing but rate limits after which the generator is declared down.
    """

    concurrency: int = attrs.field(default=8, validator=attrs.validators.gt(0))
    attempts: int = attrs.field(default=4, validator=attrs.validators.gt(0))
    backoff: float = attrs.field(default=0.5, validator=attrs.validators.gt(0))
    longest_backoff: float = attrs.field(default=30.0, validator=attrs.validators.gt(0))
    patience: float = attrs.field(default=300.0, validator=attrs.validators.gt(0))


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
    """Drives one generator over one store.

    Args:
        store: where answers go and come from.
        on_stored: told after each group commit; it runs on the event loop, so it must be quick.
    """

    def __init__(self, store: AnswerStore, on_stored: Callable[[AnswersStored], None] | None = None) -> None:
        self._store = store
        self._on_stored = on_stored or (lambda _: None)

    async def answers(
        self, prompts: Iterable[Prompt], generator: Generator, *, name: str, limits: Limits
    ) -> AsyncGenerator[Answered, None]:
        """Answer every prompt, from the store where it can.

        Args:
            prompts: read lazily, a bounded number ahead.
            generator: who answers.
            name: its name, for provenance and messages.
            limits: how hard to drive it.

        Raises:
            RunError: the generator cannot answer any prompt; what was answered until then is stored.
        """
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="genre-store") as thread:
            commits = _GroupCommit(self._store, thread, self._on_stored)
            route = _Route(generator, name, limits, commits)
            try:
                async with aclosing(self._in_order(iter(prompts), route, thread)) as answered:
                    async for item in answered:
                        yield item
            finally:
                await route.cancel()
                await commits.close()

    async def _in_order(
        self, prompts: Iterator[Prompt], route: "_Route", thread: ThreadPoolExecutor
    ) -> AsyncGenerator[Answered, None]:
        waiting: collections.deque[_Waiting] = collections.deque()
        loop = asyncio.get_running_loop()
        exhausted = False
        while waiting or not exhausted:
            route.check()
            while not exhausted and len(waiting) < READ_AHEAD and (route.wants_more or not waiting):
                chunk = list(itertools.islice(prompts, LOOK_UP_CHUNK))
                exhausted = len(chunk) < LOOK_UP_CHUNK
                keys = [answer_key(prompt, route.generator.identity) for prompt in chunk]
                stored = await loop.run_in_executor(thread, self._store.look_up, keys)
                waiting.extend(
                    _Waiting(prompt, stored[key], reused=True) if key in stored else route.ask(prompt, key)
                    for prompt, key in zip(chunk, keys, strict=True)
                )
            if not waiting:
                continue
            first = waiting[0]
            if isinstance(first.outcome, asyncio.Task):
                await route.wait(first.outcome, refill=not exhausted and len(waiting) < READ_AHEAD)
                if not first.outcome.done():
                    continue
            waiting.popleft()
            yield first.answered()


@attrs.frozen
class _Waiting:
    """A prompt whose turn has not come: its stored answer, or the call that will bring it."""

    prompt: Prompt
    outcome: "StoredAnswer | asyncio.Task[StoredAnswer | None]"
    reused: bool

    def answered(self) -> Answered:
        answer = self.outcome.result() if isinstance(self.outcome, asyncio.Task) else self.outcome
        return Answered(self.prompt, answer, self.reused)


class _Route:
    """Calls to one generator: bounded, retried, each key asked once at a time."""

    def __init__(self, generator: Generator, name: str, limits: Limits, commits: "_GroupCommit") -> None:
        self.generator = generator
        self._name = name
        self._limits = limits
        self._commits = commits
        self._slots = asyncio.Semaphore(limits.concurrency)
        self._tasks: dict[bytes, asyncio.Task[StoredAnswer | None]] = {}
        self._finished = asyncio.Event()
        self._open_at = 0.0
        self._limited_since: float | None = None
        self._failure: BaseException | None = None

    @property
    def wants_more(self) -> bool:
        """Whether the calls that wait for a slot are few enough to read further prompts."""
        return len(self._tasks) < 2 * self._limits.concurrency

    def ask(self, prompt: Prompt, key: bytes) -> _Waiting:
        """The call for this key: the one under way, or a new one."""
        task = self._tasks.get(key)
        if task is not None:
            return _Waiting(prompt, task, reused=True)
        task = self._tasks[key] = asyncio.create_task(self._answer(prompt, key))
        task.add_done_callback(lambda done: self._forget(key, done))
        return _Waiting(prompt, task, reused=False)

    def check(self) -> None:
        """Raise what showed that the generator cannot go on; nobody waits for the other calls then.

        Raises:
            RunError: what a call failed with.
        """
        if self._failure is not None:
            raise self._failure

    async def wait(self, task: "asyncio.Task[StoredAnswer | None]", *, refill: bool) -> None:
        """Wait for a call; with `refill`, return as soon as there is room for further prompts.

        Raises:
            RunError: any call failed for good.
        """
        while not task.done():
            self.check()
            self._finished.clear()
            await self._finished.wait()
            if refill and self.wants_more:
                return
        self.check()

    async def cancel(self) -> None:
        """Stop what is still under way."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self, key: bytes, task: "asyncio.Task[StoredAnswer | None]") -> None:
        self._tasks.pop(key, None)
        if not task.cancelled():
            self._failure = self._failure or task.exception()
        self._finished.set()

    async def _answer(self, prompt: Prompt, key: bytes) -> StoredAnswer | None:
        async with self._slots:
            try:
                state, completion = await self._attempts(prompt)
            except Skipped:
                return None
        answer = StoredAnswer(
            key=key,
            state=state,
            completion=completion,
            task=prompt.task,
            subject=prompt.subject,
            draw=prompt.draw,
            generator=self._name,
            endpoint=self.generator.identity.endpoint,
            template=prompt.version,
        )
        await self._commits.put(answer)
        return answer

    async def _attempts(self, prompt: Prompt) -> tuple[State, Completion]:
        failures = 0
        while True:
            await asyncio.sleep(max(0.0, self._open_at - time.monotonic()))
            try:
                completion = await self.generator.complete(prompt)
            except RateLimited as error:
                self._slow_down(error)
            except Transient as error:
                self._limited_since = None
                failures += 1
                if failures >= self._limits.attempts:
                    return "failed", self._no_text(str(error))
                await asyncio.sleep(self._backoff(failures))
            except Refused as error:
                self._limited_since = None
                return "refused", self._no_text(str(error))
            except Fatal as error:
                raise RunError(f"the generator {self._name!r} cannot go on: {error}") from error
            except (Skipped, GenreError):
                raise
            except Exception as error:
                raise RunError(
                    f"the generator {self._name!r} raised {error!r}, which is not a GenerationError",
                    remedy="its author should map it to one of the errors of genre.parts",
                ) from error
            else:
                self._limited_since = None
                return ("truncated" if completion.finish == "length" else "ok"), completion

    def _slow_down(self, error: RateLimited) -> None:
        """Close the whole route for a while: one 429 speaks for all calls in flight."""
        now = time.monotonic()
        self._limited_since = now if self._limited_since is None else self._limited_since
        if now - self._limited_since > self._limits.patience:
            raise RunError(
                f"the generator {self._name!r} met nothing but rate limits for {self._limits.patience:g} s: {error}",
                remedy="lower `limits.concurrency`, raise `limits.patience`, or ask the provider for a higher limit",
            )
        pause = self._backoff(1) if error.retry_after is None else max(0.0, error.retry_after)
        self._open_at = max(self._open_at, now + min(pause, self._limits.patience))

    def _backoff(self, failures: int) -> float:
        """Exponential, with jitter so that calls that failed together do not come back together."""
        longest: float = min(self._limits.longest_backoff, self._limits.backoff * 2 ** (failures - 1))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311  not a secret

    def _no_text(self, reason: str) -> Completion:
        return Completion(text=reason, model=self.generator.identity.model)


class _GroupCommit:
    """Collects answers and writes them in groups, so that a full sync is paid once for many."""

    def __init__(
        self, store: AnswerStore, thread: ThreadPoolExecutor, on_stored: Callable[[AnswersStored], None]
    ) -> None:
        self._store = store
        self._thread = thread
        self._on_stored = on_stored
        self._pending: list[tuple[StoredAnswer, asyncio.Future[None]]] = []
        self._arrived = asyncio.Event()
        self._full = asyncio.Event()
        self._closing = False
        self._failure: GenreError | None = None
        self._writer = asyncio.create_task(self._write())

    async def put(self, answer: StoredAnswer) -> None:
        """Return when the answer is on disk. Shielded: a cancelled caller does not lose a paid answer.

        Raises:
            RunError: the store cannot be written, or a listener failed.
        """
        if self._failure is not None:
            raise self._failure
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append((answer, done))
        self._arrived.set()
        if len(self._pending) >= COMMIT_ROWS:
            self._full.set()
        await asyncio.shield(done)

    async def close(self) -> None:
        """Write what is left and stop."""
        self._closing = True
        self._arrived.set()
        self._full.set()
        await self._writer

    async def _write(self) -> None:
        while not self._closing or self._pending:
            await self._arrived.wait()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._full.wait(), COMMIT_SECONDS)
            await self._commit()

    async def _commit(self) -> None:
        group, self._pending = self._pending, []
        if not self._closing:
            self._arrived.clear()
            self._full.clear()
        if not group:
            return
        answers = [answer for answer, _ in group]
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._store.put, answers)
            self._tell(answers)
        except GenreError as error:
            self._failure = error
        except Exception as error:  # noqa: BLE001  whatever it was: callers wait to be told
            self._failure = RunError(f"a listener of stored answers failed: {error!r}")
        for _, done in group:
            if done.done():
                continue
            if self._failure is None:
                done.set_result(None)
            else:
                done.set_exception(self._failure)

    def _tell(self, answers: Sequence[StoredAnswer]) -> None:
        per_task = collections.Counter((answer.task, answer.generator) for answer in answers)
        for (task, generator), count in per_task.items():
            self._on_stored(AnswersStored(task, generator, count))
