"""A worker: answers blocks of prompts somewhere on the cluster, with an ordinary engine over the owner's store."""

import asyncio
import math
import threading
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import attrs
import pyarrow as pa
from ray.exceptions import RayError

from genre.errors import GenreError, RunError
from genre.generation import Engine, Routing
from genre.parts import Prompt
from genre_executors.ray_assignment import Assignment, DownGenerator
from genre_executors.ray_ledger import Grant, LeasedBudget
from genre_executors.ray_owner import BEAT_SECONDS
from genre_executors.ray_rows import answer_text, prompt_from
from genre_executors.ray_store import OwnerStore
from genre_executors.sent import failure_of

if TYPE_CHECKING:
    from ray.actor import ActorHandle

ANSWERED = pa.schema([("number", pa.int64()), ("answer", pa.string())])


class Worker:
    """Called by Ray Data with one block after another; its event loop and its generators outlive a block."""

    def __init__(self, owner: "ActorHandle", assignment: Assignment) -> None:
        self._owner = owner
        self._assignment = assignment
        self._name = uuid.uuid4().hex
        self._routing: Routing | None = None
        self._stopped = asyncio.Event()
        self._busy = self._scarce = False
        self._budget = LeasedBudget(limit=0.0 if assignment.limited else math.inf, lease=self._lease)
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="genre-worker", daemon=True).start()
        self._beating = asyncio.run_coroutine_threadsafe(self._beat_on(), self._loop)

    def __call__(self, block: pa.Table) -> pa.Table:
        """The answers to a block of prompts: rows `number` and `answer`, null for a prompt that was skipped.

        When the round cannot go on, or shall not, there are no rows.
        """
        prompts = [prompt_from(text) for text in block["prompt"].to_pylist()]
        answers = asyncio.run_coroutine_threadsafe(self._answer(prompts), self._loop).result()
        return pa.table([block["number"][: len(answers)], pa.array(answers, pa.string())], schema=ANSWERED)

    async def _answer(self, prompts: Sequence[Prompt]) -> Sequence[str | None]:
        self._busy = True
        await self._beat()
        asking, stopping = asyncio.create_task(self._ask(prompts)), asyncio.create_task(self._stopped.wait())
        await asyncio.wait({asking, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        asking.cancel()  # does nothing to a task that is done
        answers: Sequence[str | None] = ()
        try:
            answers = await asking
        except asyncio.CancelledError:
            pass  # the owner said so; its engine has waited for the calls in flight
        except GenreError as error:
            await self._owner.fail.remote(failure_of(error))
        except Exception as error:  # noqa: BLE001  told in one line: Ray would try it again, and print all of it
            await self._owner.fail.remote(failure_of(RunError(f"a worker failed: {error!r}")))
        self._busy = False
        await self._beat()
        return answers

    async def _ask(self, prompts: Sequence[Prompt]) -> list[str | None]:
        if self._routing is None:
            self._routing = self._assignment.routing()
        engine = Engine(OwnerStore(self._owner), budget=self._budget, on_route_down=self._down)
        answered = [item async for item in engine.answers(prompts, self._routing)]
        return [None if item.answer is None else answer_text(item.answer) for item in answered]

    def _down(self, name: str, reason: str) -> None:
        """A route lives as long as a block; what is down stays so."""
        assert self._routing is not None
        generator, limits = self._routing.routes[name]
        routes = {**self._routing.routes, name: (DownGenerator(generator, reason), limits)}
        self._routing = attrs.evolve(self._routing, routes=routes)
        self._owner.down.remote(name, reason)

    async def _lease(self, spent: float, unused: float, amount: float) -> Grant:
        return cast(Grant, await self._owner.lease.remote(self._name, spent, unused, amount))

    async def _beat(self) -> None:
        """Tell the owner how it is, and give back what is not needed."""
        spent, unused = self._budget.report(keep=self._busy and not self._scarce)
        stop, self._scarce = await self._owner.beat.remote(self._name, spent, unused, self._busy)
        if stop:
            self._stopped.set()

    async def _beat_on(self) -> None:
        while not self._stopped.is_set():
            await asyncio.sleep(BEAT_SECONDS)
            try:
                await self._beat()
            except RayError:  # without an owner no answer can be kept
                self._stopped.set()
