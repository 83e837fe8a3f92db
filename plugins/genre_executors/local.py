"""The executor `local`: an engine, or a training, in this process; jobs in others of this machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from genre.discovery import load_callable
from genre.generation import Asker, Engine, Work

if TYPE_CHECKING:
    from genre.modeling.executors import Jobs, TrainingWork


class LocalExecutor:
    """Drives the generators from this process's event loop, as many calls at once as their limits allow."""

    def __init__(self, _: None) -> None:
        pass

    @asynccontextmanager
    async def open(self, work: Work) -> AsyncIterator[Asker]:
        """An engine over the store and the budget."""
        yield Engine(
            work.store,
            work.on_stored,
            budget=work.budget,
            on_route_down=work.on_route_down,
            on_slowed=work.on_slowed,
        )

    def train(self, work: "TrainingWork") -> str:
        """Train here, alone."""
        from genre.modeling.processes import ALONE

        return str(load_callable(work.entry)(work.arguments, work.registry, ALONE, _Watch(work)))

    def run_jobs(self, jobs: "Jobs") -> None:
        """Run jobs by processes of this machine."""
        from genre_executors.processes import run_in_processes

        run_in_processes(jobs)


class _Watch:
    restarted = False

    def __init__(self, work: "TrainingWork") -> None:
        self.tell = work.on_event

    def asked_to_end(self) -> bool:
        return False
