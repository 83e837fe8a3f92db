"""The executor `ray`: rounds fanned out over a cluster with Ray Data, within one store and one budget."""

import asyncio
import importlib.util
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import TYPE_CHECKING

import attrs

from genre.errors import UsageError
from genre.generation import Asker, Routing, Work
from genre.generation.engine import LOOK_UP_CHUNK, Answered
from genre.generation.keys import KeyMaker
from genre.parts import Prompt
from genre_executors.ray_options import RayOptions
from genre_executors.ray_order import Place, in_order, nothing

if TYPE_CHECKING:
    from genre.modeling.executors import Jobs, TrainingWork
    from genre_executors.ray_round import ClusterRound


class RayExecutor:
    """Looks answers up here, and sends the prompts that have none to the workers.

    Raises:
        UsageError: Ray is not installed.
    """

    def __init__(self, options: RayOptions) -> None:
        self._options = options
        if importlib.util.find_spec("ray") is None or importlib.util.find_spec("pyarrow") is None:
            raise UsageError(
                "the executor 'ray' runs on Ray Data, which is not installed", remedy="pip install 'genre-rec[ray]'"
            )

    def train(self, work: "TrainingWork") -> str:
        """Train by the workers, with Ray Train."""
        from genre_executors.ray_training import train_on_ray

        return train_on_ray(self._options, work)

    def run_jobs(self, jobs: "Jobs") -> None:
        """Run jobs as tasks of the cluster."""
        from genre_executors.ray_jobs import run_jobs_on_ray

        run_jobs_on_ray(self._options, jobs)

    @asynccontextmanager
    async def open(self, work: Work) -> AsyncIterator[Asker]:
        """What asks the cluster, which is connected to at the first prompt without an answer."""
        async with AsyncExitStack() as stack:
            yield _RayAsker(self._options, work, stack)


@attrs.frozen(eq=False)
class _RayAsker:
    options: RayOptions
    work: Work
    connection: AsyncExitStack

    async def answers(self, prompts: Iterable[Prompt], routing: Routing) -> AsyncGenerator[Answered, None]:
        """As an engine: in the order of the prompts, each from the store, or stored before it is handed out."""
        asked = iter(prompts)
        keys = KeyMaker(routing.identities)
        async with AsyncExitStack() as stack:
            on_cluster: ClusterRound | None = None
            while portion := list(itertools.islice(asked, self.options.portion)):
                places = await self._looked_up(portion, routing, keys)
                missing = [(each.row, each.prompt) for each in places if each.row is not None and not each.reused]
                if missing and on_cluster is None:
                    on_cluster = await stack.enter_async_context(self._on_cluster(routing))
                rows = on_cluster.answers(missing) if on_cluster and missing else nothing()
                async with aclosing(in_order(places, rows)) as answered:
                    async for item in answered:
                        yield item

    async def _looked_up(self, portion: Sequence[Prompt], routing: Routing, keys: KeyMaker) -> list[Place]:
        places: list[Place] = []
        rows: dict[tuple[bytes, ...], int] = {}
        for start in range(0, len(portion), LOOK_UP_CHUNK):
            chunk = portion[start : start + LOOK_UP_CHUNK]
            wanted = [keys.keys(prompt, tuple(routing.preference(prompt))).answers for prompt in chunk]
            stored = await asyncio.to_thread(self.work.store.look_up, list(itertools.chain(*wanted)))
            for prompt, its_keys in zip(chunk, wanted, strict=True):
                found = next((stored[key] for key in its_keys if key in stored), None)
                first = its_keys not in rows
                row = None if found else rows.setdefault(its_keys, len(rows))
                places.append(Place(prompt, found, row, reused=found is not None or not first))
        return places

    @asynccontextmanager
    async def _on_cluster(self, routing: Routing) -> AsyncIterator["ClusterRound"]:
        """Connect, if no round before did, and set the round up."""
        from genre_executors.ray_connection import connected
        from genre_executors.ray_round import ClusterRound

        options = self.options
        self.connection.enter_context(connected(options.address, options.workers * options.cpus))
        async with ClusterRound.begun(self.work, routing, options) as begun:
            yield begun
