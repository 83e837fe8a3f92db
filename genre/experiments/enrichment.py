"""Enrichment as a step: rounds over a data set, for one or several variants, with one store."""

import asyncio
import functools
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import attrs

from genre.dataset import Dataset
from genre.experiments.observer import Observer
from genre.generation import AnswerStore, Engine, PreparedRound, RoundReport, generator_pool, run_rounds
from genre.parts import AnswersStored
from genre.registry import Registry

T = TypeVar("T")


@attrs.frozen(eq=False)
class Enriched:
    """A data set after its rounds, and what each round did."""

    dataset: Dataset
    reports: tuple[RoundReport, ...]


def enrich_variants(
    registry: Registry,
    dataset: Dataset,
    variants: Mapping[str, Sequence[PreparedRound]],
    *,
    store: Path,
    folder: Path,
    observer: Observer,
) -> dict[str, Enriched]:
    """Run the rounds of every variant, each from the same data set; equal prompts are paid once.

    Args:
        store: the answer store's file.
        folder: each variant's records and quarantine go to `folder/VARIANT/NUMBER-ROUND`.

    Raises:
        RunError: a generator cannot go on. All answers so far are stored, and the same call goes on from there.
    """

    def tell(event: AnswersStored) -> None:
        registry.announce("genre_answers_stored", event=event)

    async def enrich_all(answers: AnswerStore) -> dict[str, Enriched]:
        enriched: dict[str, Enriched] = {}
        async with generator_pool(registry) as pool:
            for rounds in variants.values():
                for each in rounds:
                    pool.get(
                        each.generator_name
                    )  # a mistake in the last round's generator is told before the first call
            engine = Engine(answers, tell)
            for name, rounds in variants.items():
                made, reports = await run_rounds(
                    dataset,
                    rounds,
                    pool,
                    engine,
                    folder=folder / name,
                    on_progress=functools.partial(observer.on_round, name),
                )
                enriched[name] = Enriched(made, tuple(reports))
        return enriched

    with closing(AnswerStore(store)) as answers:
        return _run(enrich_all(answers))


def _run(work: Coroutine[None, None, T]) -> T:
    """Run to the end; in a thread of its own where a loop runs already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="genre-enrich") as thread:
        return thread.submit(asyncio.run, work).result()
