"""The calls of one round: each question asked once at a time, and of the next route when one cannot answer.

A route has as many workers as calls may be in flight, and each takes the next question that waits in the route's line:
nothing is made for a question that waits but its place there.
"""

import asyncio
import collections
import functools
from collections.abc import Callable, Sequence
from typing import Final

import attrs

from genre.errors import RunError
from genre.generation.budget import Budget
from genre.generation.commits import GroupCommit
from genre.generation.costs import together
from genre.generation.keys import identity_text
from genre.generation.route import Outcome, Route, RouteDown
from genre.generation.routing import Addressing, Question, Routing
from genre.generation.store import StoredAnswer, storable
from genre.parts import Completion, KeepsAnswers, Skipped

DRAIN_SECONDS: Final = 1.2
"""How long the end of a round waits for answers that are under way; Ctrl-C has to end within two seconds."""


@attrs.define(eq=False)
class Call:
    """A question and what became of it, for all prompts that ask it.

    Attributes:
        answer: None until the call is over, and when the generator was told to leave such prompts out.
        is_over: nothing more will come; the answer is on disk.
    """

    question: Question
    answer: StoredAnswer | None = None
    is_over: bool = False


class Calls:
    """The calls of one round.

    Args:
        commits: where answers are written.
        on_route_down: told once of each generator that answers nothing any more while others go on, and why.
        on_slowed: told of each generator how many calls a second it is asked at most, see `Route`.
    """

    def __init__(
        self,
        routing: Routing,
        commits: GroupCommit,
        budget: Budget,
        on_route_down: Callable[[str, str], None],
        on_slowed: Callable[[str, float | None], None],
    ) -> None:
        self._routes = {
            name: Route(generator, name, limits, budget, commits.room, on_slowed=functools.partial(on_slowed, name))
            for name, (generator, limits) in routing.routes.items()
        }
        self.concurrency = sum(route.concurrency for route in self._routes.values())
        """Calls that may be in flight at most."""
        self.question = Addressing(routing).question
        self._commits = commits
        self._on_route_down = on_route_down
        self._identities = {name: identity_text(identity) for name, identity in routing.identities.items()}
        self._told: set[str] = set()
        self._lines: dict[str, collections.deque[Call]] = {name: collections.deque() for name in self._routes}
        self._working = dict.fromkeys(self._routes, 0)
        self._workers: set[asyncio.Task[None]] = set()
        self._under_way: dict[tuple[bytes, ...], Call] = {}
        self._unanswered = 0
        self._progress = asyncio.Event()
        self._failure: BaseException | None = None

    @property
    def wants_more(self) -> bool:
        """Whether the questions that wait for a place are few enough to read further prompts."""
        return self._unanswered < 2 * self.concurrency

    def ask(self, question: Question) -> tuple[Call, bool]:
        """The call for this question, and whether it is a new one: the same may be under way."""
        keys = question.keys.answers
        if (call := self._under_way.get(keys)) is not None:
            return call, False
        call = self._under_way[keys] = Call(question)
        self._unanswered += 1
        if not question.names:
            self._failure = self._failure or RunError("the router names nobody to ask")
            return call, True
        self._line_up(call)
        return call, True

    def check(self) -> None:
        """Raise what showed that the round cannot go on; nobody waits for the other calls then.

        Raises:
            RunError: what a call failed with.
        """
        if self._failure is not None:
            raise self._failure

    async def wait(self, call: Call, *, refill: bool) -> None:
        """Wait until a call is over; with `refill`, return as soon as there is room for further prompts.

        Raises:
            RunError: any call failed for good.
        """
        while not call.is_over:
            self.check()
            self._progress.clear()
            await self._progress.wait()
            if refill and self.wants_more:
                return
        self.check()

    async def close(self) -> None:
        """Let calls in flight end, for their answers are paid; stop those that have not begun."""
        for line in self._lines.values():
            line.clear()
        workers = tuple(self._workers)
        in_flight = any(
            route.in_flight and not isinstance(route.generator, KeepsAnswers) for route in self._routes.values()
        )
        for route in self._routes.values():
            route.down = route.down or "the round has ended"
            route.send_no_more()
        if workers and in_flight:
            await asyncio.wait(workers, timeout=DRAIN_SECONDS)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    def tell_stored(self) -> None:
        """Tell generators that keep their answers that all of them are on disk."""
        for route in self._routes.values():
            if isinstance(route.generator, KeepsAnswers):
                route.generator.answers_are_stored()

    def _line_up(self, call: Call) -> None:
        """In the line of its first route that is not down."""
        names = call.question.names
        name = next((name for name in names if self._routes[name].down is None), names[0])
        self._lines[name].append(call)
        if self._working[name] < self._routes[name].concurrency:
            self._start_worker(name)

    def _start_worker(self, name: str) -> None:
        self._working[name] += 1
        worker = asyncio.create_task(self._work(name))
        self._workers.add(worker)
        worker.add_done_callback(self._worker_ended)

    async def _work(self, name: str) -> None:
        line = self._lines[name]
        try:
            while line and self._failure is None:
                if self._routes[name].down is not None:  # each goes where it is answered as fast as can be
                    waiting = tuple(line)
                    line.clear()
                    for call in waiting:
                        self._line_up(call)
                if line:
                    await self._make(line.popleft())
        finally:
            # Here and not when the task is done, which is told later: a question that comes meanwhile needs a worker.
            self._working[name] -= 1

    def _worker_ended(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        if not worker.cancelled():
            failure = worker.exception()  # asked of every task: asyncio complains of those that nobody asks
            self._failure = self._failure or failure
        self._progress.set()

    async def _make(self, call: Call) -> None:
        try:
            answer = await self._answer(call.question)
        finally:
            self._unanswered -= 1
        if answer is None:
            self._end(call, None)
        else:
            self._commits.add(answer, lambda failure: self._written(call, answer, failure))
            if self.wants_more:
                self._progress.set()

    def _written(self, call: Call, answer: StoredAnswer, failure: BaseException | None) -> None:
        if failure is None:
            self._end(call, answer)
        else:
            self._failure = self._failure or failure
            self._progress.set()

    def _end(self, call: Call, answer: StoredAnswer | None) -> None:
        call.answer, call.is_over = answer, True
        del self._under_way[call.question.keys.answers]
        self._progress.set()

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
                return answer
            failed = failed or answer
        if failed is None:
            raise self._all_down(question.names)
        return attrs.evolve(failed, cost=cost)

    def _tell(self, name: str, reason: str) -> None:
        others = any(route.down is None for route in self._routes.values())
        if others and name not in self._told:
            self._told.add(name)
            self._on_route_down(name, reason)

    def _all_down(self, names: Sequence[str]) -> RunError:
        reasons = (f"the generator {name!r} cannot go on: {self._routes[name].down}" for name in names)
        return RunError("; ".join(reasons))

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
