"""The engine: asks a generator many prompts at once, retries what is worth it, and stores every answer first.

Answers come back in the order of the prompts, whoever answered first, and each is on disk before it is handed out.
"""

import asyncio
import collections
import itertools
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Final

import attrs

from genre.errors import RunError
from genre.generation.budget import Budget
from genre.generation.commits import GroupCommit, KeyedAnswers
from genre.generation.costs import together
from genre.generation.keys import KeyMaker, Keys, identity_text
from genre.generation.limits import Limits
from genre.generation.route import Outcome, Route, RouteDown
from genre.generation.store import StoredAnswer, storable
from genre.parts import AnswersStored, Completion, Generator, Identity, KeepsAnswers, Prompt, Router, Skipped

DRAIN_SECONDS: Final = 1.2
"""How long the end of a round waits for answers that are under way; Ctrl-C has to end within two seconds."""
LOOK_UP_CHUNK: Final = 64
"""Prompts whose keys are looked up in one query."""
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


@attrs.frozen(eq=False)
class Routing:
    """Who may answer a round's prompts.

    Attributes:
        name: the instance of `[generators.NAME]` that was asked for: a generator, or a router.
        routes: generators by name, with how hard to drive each.
        router: chooses among them for each prompt; None for the only one.
    """

    name: str
    routes: Mapping[str, tuple[Generator, Limits]]
    router: Router | None = None

    @classmethod
    def to(cls, generator: Generator, limits: Limits, name: str) -> "Routing":
        """One generator for all prompts."""
        return cls(name, {name: (generator, limits)})

    @property
    def identities(self) -> Mapping[str, Identity]:
        """Which model answers behind each name, and where."""
        return {name: generator.identity for name, (generator, _) in self.routes.items()}

    def preference(self, prompt: Prompt) -> Sequence[str]:
        """Whom to ask, the first choice first."""
        return tuple(self.routes) if self.router is None else self.router.route(prompt)


class Engine:
    """Drives generators over one store, within one budget.

    Args:
        store: where answers go and come from.
        on_stored: told after each group commit; it runs on the event loop, so it must be quick.
        budget: US dollars that all rounds together may cost; default: no limit.
        on_route_down: told once of each generator that answers nothing any more while others go on, and why.
    """

    def __init__(
        self,
        store: KeyedAnswers,
        on_stored: Callable[[AnswersStored], None] | None = None,
        *,
        budget: Budget | None = None,
        on_route_down: Callable[[str, str], None] | None = None,
    ) -> None:
        self._store = store
        self._on_stored = on_stored or (lambda _: None)
        self._on_route_down = on_route_down or (lambda *_: None)
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
            calls = _Calls(routing, commits, self.budget, self._on_route_down)
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
        self, prompts: Iterator[Prompt], calls: "_Calls", thread: ThreadPoolExecutor
    ) -> AsyncGenerator[Answered, None]:
        waiting: collections.deque[_Waiting] = collections.deque()
        loop = asyncio.get_running_loop()
        exhausted = False
        while waiting or not exhausted:
            calls.check()
            while not exhausted and len(waiting) < calls.read_ahead and (calls.wants_more or not waiting):
                chunk = [calls.question(prompt) for prompt in itertools.islice(prompts, LOOK_UP_CHUNK)]
                exhausted = len(chunk) < LOOK_UP_CHUNK
                keys = [key for question in chunk for key in question.keys.answers]
                stored = await loop.run_in_executor(thread, self._store.look_up, keys)
                calls.check()
                for question in chunk:
                    found = question.answer_in(stored)
                    waiting.append(
                        calls.ask(question) if found is None else _Waiting(question.prompt, found, reused=True)
                    )
            if not waiting:
                continue
            first = waiting[0]
            if isinstance(first.outcome, asyncio.Task):
                await calls.wait(first.outcome, refill=not exhausted and len(waiting) < calls.read_ahead)
                if not first.outcome.done():
                    continue
            waiting.popleft()
            yield first.answered()


@attrs.frozen
class Question:
    """A prompt, whom to ask (the first choice first), and its keys."""

    prompt: Prompt
    names: tuple[str, ...]
    keys: Keys

    def answer_in(self, stored: Mapping[bytes, StoredAnswer]) -> StoredAnswer | None:
        """The stored answer of the first of them that has one."""
        return next((stored[key] for key in self.keys.answers if key in stored), None)


class Addressing:
    """Says of each prompt of a round whom to ask, and under which keys the answers are."""

    def __init__(self, routing: Routing) -> None:
        self._routing = routing
        self._keys = KeyMaker(routing.identities)

    def question(self, prompt: Prompt) -> Question:
        """The prompt with whom to ask."""
        names = tuple(self._routing.preference(prompt))
        return Question(prompt, names, self._keys.keys(prompt, names))


@attrs.frozen
class _Waiting:
    """A prompt whose turn has not come: its stored answer, or the call that will bring it."""

    prompt: Prompt
    outcome: "StoredAnswer | asyncio.Task[StoredAnswer | None]"
    reused: bool

    def answered(self) -> Answered:
        answer = self.outcome.result() if isinstance(self.outcome, asyncio.Task) else self.outcome
        return Answered(self.prompt, answer, self.reused)


class _Calls:
    """The calls of one round: each key asked once at a time, and of the next route when one cannot answer."""

    def __init__(
        self, routing: Routing, commits: GroupCommit, budget: Budget, on_route_down: Callable[[str, str], None]
    ) -> None:
        self._routes = {
            name: Route(generator, name, limits, budget, commits.room)
            for name, (generator, limits) in routing.routes.items()
        }
        self._concurrency = sum(route.concurrency for route in self._routes.values())
        self._commits = commits
        self._on_route_down = on_route_down
        self.question = Addressing(routing).question
        self._identities = {name: identity_text(identity) for name, identity in routing.identities.items()}
        self._told: set[str] = set()
        self._tasks: dict[tuple[bytes, ...], asyncio.Task[StoredAnswer | None]] = {}
        self._finished = asyncio.Event()
        self._failure: BaseException | None = None

    @property
    def read_ahead(self) -> int:
        """Prompts that may wait for their turn: no fewer than may be in flight, as a provider's batch has thousands."""
        return max(READ_AHEAD, self._concurrency)

    @property
    def wants_more(self) -> bool:
        """Whether the calls that wait for a place are few enough to read further prompts."""
        return len(self._tasks) - self._commits.unwritten < 2 * self._concurrency

    def ask(self, question: Question) -> _Waiting:
        """The call for these keys: the one under way, or a new one."""
        keys = question.keys.answers
        task = self._tasks.get(keys)
        if task is not None:
            return _Waiting(question.prompt, task, reused=True)
        task = self._tasks[keys] = asyncio.create_task(self._answer(question))
        task.add_done_callback(lambda done: self._forget(keys, done))
        return _Waiting(question.prompt, task, reused=False)

    def check(self) -> None:
        """Raise what showed that the round cannot go on; nobody waits for the other calls then.

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

    async def close(self) -> None:
        """Let calls in flight end, for their answers are paid; stop those that have not begun."""
        tasks = list(self._tasks.values())
        in_flight = any(
            route.in_flight and not isinstance(route.generator, KeepsAnswers) for route in self._routes.values()
        )
        for route in self._routes.values():
            route.down = route.down or "the round has ended"
        if tasks and in_flight:
            await asyncio.wait(tasks, timeout=DRAIN_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def tell_stored(self) -> None:
        """Tell generators that keep their answers that all of them are on disk."""
        for route in self._routes.values():
            if isinstance(route.generator, KeepsAnswers):
                route.generator.answers_are_stored()

    def _forget(self, keys: tuple[bytes, ...], task: "asyncio.Task[StoredAnswer | None]") -> None:
        self._tasks.pop(keys, None)
        if not task.cancelled():
            failure = task.exception()  # asked of every task: asyncio complains of those that nobody asks
            self._failure = self._failure or failure
        self._finished.set()

    async def _answer(self, question: Question) -> StoredAnswer | None:
        failed: StoredAnswer | None = None
        cost: float | None = 0.0  # of all who were asked: those who failed may have been paid
        for name, key in zip(question.names, question.keys.answers, strict=True):
            route = self._routes[name]
            if route.down is not None:
                continue
            try:
                outcome = await route.call(question.prompt)
            except Skipped:
                return None
            except RouteDown as down:
                cost = together(cost, down.cost)
                self._tell(name, str(down))
                continue
            cost = together(cost, outcome.cost)
            answer = self._stored(question, key, route, outcome, cost)
            if outcome.state != "failed":
                await self._commits.put(answer)
                return answer
            failed = failed or answer
        if failed is None:
            raise self._all_down(question.names)
        failed = attrs.evolve(failed, cost=cost)
        await self._commits.put(failed)
        return failed

    def _tell(self, name: str, reason: str) -> None:
        others = any(route.down is None for route in self._routes.values())
        if others and name not in self._told:
            self._told.add(name)
            self._on_route_down(name, reason)

    def _all_down(self, names: Sequence[str]) -> RunError:
        reasons = "; ".join(f"the generator {name!r} cannot go on: {self._routes[name].down}" for name in names)
        return RunError(reasons or "the router names nobody to ask")

    def _stored(
        self, question: Question, key: bytes, route: Route, outcome: Outcome, cost: float | None
    ) -> StoredAnswer:
        prompt = question.prompt
        return StoredAnswer(
            key=key,
            state=outcome.state,
            completion=_storable(outcome.completion),
            task=prompt.task,
            subject=prompt.subject,
            draw=prompt.draw,
            generator=route.name,
            endpoint=route.generator.identity.endpoint,
            template=prompt.version,
            question=question.keys.question,
            cost=cost,
            identity=self._identities[route.name],
        )


def _storable(completion: Completion) -> Completion:
    """As the store keeps it: fresh and read again, an answer is the same."""
    text, model = storable(completion.text), storable(completion.model)
    if text is completion.text and model is completion.model:
        return completion
    return attrs.evolve(completion, text=text, model=model)
