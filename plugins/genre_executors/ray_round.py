"""A round on a cluster: its owner, its workers, and what the driver hears of them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import attrs
import pyarrow as pa
import ray
from ray.exceptions import RayError

from genre.errors import GenreError, RunError
from genre.generation import Routing, StoredAnswer, Work
from genre.parts import AnswersStored, Prompt
from genre_executors.ray_assignment import Assignment
from genre_executors.ray_cluster import answered_blocks
from genre_executors.ray_connection import actor_here
from genre_executors.ray_options import RayOptions
from genre_executors.ray_owner import Owner, OwnerMessages
from genre_executors.ray_rows import answer_from, prompt_text
from genre_executors.ray_store import owner_is_gone
from genre_executors.sent import error_of, failure_of

if TYPE_CHECKING:
    from ray.actor import ActorHandle

FAILURE_SECONDS = 5.0
"""How long a round that ends without all answers waits to be told why."""
BLOCKS_PER_WORKER = 4
"""At least, where there are so many prompts: a worker that is quicker than another gets more of them."""


@attrs.define(eq=False)
class ClusterRound:
    """One round's prompts on their way through the cluster."""

    _work: Work
    _owner: "ActorHandle"
    _assignment: Assignment
    _options: RayOptions
    _failure: GenreError | None = None
    _listening: "asyncio.Task[None] | None" = None

    @classmethod
    @asynccontextmanager
    async def begun(cls, work: Work, routing: Routing, options: RayOptions) -> AsyncIterator["ClusterRound"]:
        """A round whose owner has the store open until the block ends.

        Raises:
            GenreError: the store cannot be opened, or what was heard last.
        """
        budget = work.budget
        assignment = Assignment.of(work.registry, routing, workers=options.workers, limited=budget.is_limited)
        owner = actor_here(Owner, str(work.store.path.absolute()), budget.limit, budget.spent)
        try:
            if failure := await owner.open.remote():
                raise error_of(failure)
            begun = cls(work, owner, assignment, options)
            begun._listening = asyncio.create_task(begun._listen())
            try:
                yield begun
            finally:
                await begun._close()
            begun._check()
        finally:
            ray.kill(owner)

    async def answers(
        self, missing: Sequence[tuple[int, Prompt]]
    ) -> AsyncGenerator[tuple[int, StoredAnswer | None], None]:
        """The answers to prompts with their numbers, in any order; each is stored.

        Raises:
            GenreError: what a worker, the owner or a listener ended the round with.
        """
        left = len(missing)
        try:
            async with answered_blocks(
                self._blocks(missing), self._owner, self._assignment, self._options.cpus
            ) as tables:
                try:
                    async for table in tables:
                        self._check()
                        left -= table.num_rows
                        for number, answer in zip(*(column.to_pylist() for column in table.columns), strict=True):
                            yield number, None if answer is None else answer_from(answer)
                except BaseException:
                    await self._stop()
                    raise
        except RayError as error:
            self._check()
            raise RunError(f"the cluster failed: {_cause(error)!r}", remedy="see Ray's logs, run it again") from error
        if left:
            assert self._listening is not None
            await asyncio.wait({self._listening}, timeout=FAILURE_SECONDS)
            self._check()
            raise RunError(f"the cluster left {left} prompts without an answer", remedy="run the command again")

    def _blocks(self, missing: Sequence[tuple[int, Prompt]]) -> list[pa.Table]:
        size = max(1, min(self._options.block, len(missing) // (BLOCKS_PER_WORKER * self._assignment.workers)))
        return [
            pa.table({"number": [number for number, _ in some], "prompt": [prompt_text(prompt) for _, prompt in some]})
            for some in (missing[start : start + size] for start in range(0, len(missing), size))
        ]

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    async def _listen(self) -> None:
        """Hear of the owner until it tells why the round cannot go on."""
        try:
            while self._failure is None:
                self._tell(await self._owner.messages.remote())
            await self._owner.fail.remote(failure_of(self._failure))  # when it was a listener here
        except RayError:
            self._failure = self._failure or owner_is_gone()

    def _tell(self, messages: OwnerMessages) -> None:
        try:
            for task, generator, count in messages.stored:
                self._work.on_stored(AnswersStored(task, generator, count))
            for name, reason in messages.down:
                self._work.on_route_down(name, reason)
        except GenreError as error:
            self._failure = error
        except Exception as error:  # noqa: BLE001  whatever it was: the round ends with it
            self._failure = RunError(f"a listener of stored answers failed: {error!r}")
        if messages.failure is not None and self._failure is None:
            self._failure = error_of(messages.failure)

    async def _stop(self) -> None:
        with suppress(RayError):
            await self._owner.stop.remote()

    async def _close(self) -> None:
        assert self._listening is not None
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        with suppress(RayError):
            await self._stop()
            messages, self._work.budget.spent = await self._owner.close.remote()
            self._tell(messages)


def _cause(error: BaseException) -> BaseException:
    """What is behind the errors that Ray wraps around it."""
    inner = getattr(error, "cause", None) or error.__cause__
    return error if not isinstance(inner, BaseException) else _cause(inner)
