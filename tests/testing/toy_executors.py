"""A toy executor that keeps every law, or breaks one."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs

from genre.errors import RunError
from genre.generation import AnswerStore, Asker, Budget, Engine, Routing, Work
from genre.generation.engine import Answered
from genre.parts import Prompt


@attrs.frozen
class ToyOptions:
    flaw: str = ""


@attrs.frozen(eq=False)
class _Toy:
    flaw: str
    work: Work

    async def answers(self, prompts: Iterable[Prompt], routing: Routing) -> AsyncGenerator[Answered, None]:
        with TemporaryDirectory() as folder, closing(AnswerStore(Path(folder) / "other.sqlite")) as other:
            engine = Engine(
                other if self.flaw in ("hasty", "forgetful") else self.work.store,
                None if self.flaw == "silent" else self.work.on_stored,
                budget=Budget() if self.flaw == "spendthrift" else self.work.budget,
            )
            answered: list[Answered] = []
            try:
                answered.extend([item async for item in engine.answers(prompts, routing)])
            except RunError:
                if self.flaw != "cheerful":
                    raise
            if self.flaw == "forgetful":
                self.work.store.put(other.rows())
            for item in reversed(answered) if self.flaw == "reordering" else answered:
                yield attrs.evolve(item, reused=False) if self.flaw == "repeating" else item


class ToyExecutor:
    def __init__(self, options: ToyOptions) -> None:
        self._flaw = options.flaw

    @asynccontextmanager
    async def open(self, work: Work) -> AsyncIterator[Asker]:
        yield _Toy(self._flaw, work)
