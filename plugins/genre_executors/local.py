"""The executor `local`: an engine in this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from genre.generation import Asker, Engine, Work


class LocalExecutor:
    """Drives the generators from this process's event loop, as many calls at once as their limits allow."""

    def __init__(self, _: None) -> None:
        pass

    @asynccontextmanager
    async def open(self, work: Work) -> AsyncIterator[Asker]:
        """An engine over the store and the budget."""
        yield Engine(work.store, work.on_stored, budget=work.budget, on_route_down=work.on_route_down)
