"""Enrichment as a step: rounds over a data set, for one or several variants, with one store."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import attrs
import polars as pl

from genre.dataset import Dataset
from genre.experiments.loop import run_to_end
from genre.experiments.observer import Observer
from genre.generation import (
    AnswerStore,
    Budget,
    PreparedRound,
    RoundReport,
    Work,
    find_executor,
    generator_pool,
    retrying,
    run_rounds,
)
from genre.parts import AnswersStored
from genre.registry import Registry


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
    budget: float | None = None,
    executor: str | None = None,
    retry_quarantined: bool = False,
) -> dict[str, Enriched]:
    """Run the rounds of every variant, each from the same data set; equal prompts are paid once.

    Args:
        store: the answer store's file.
        budget: US dollars that the calls of all rounds may cost; None for no limit.
        executor: where prompts are answered; None for the default of registry.toml.
        folder: each variant's records and quarantine go to `folder/VARIANT/NUMBER-ROUND`.
        retry_quarantined: ask anew for what lies in quarantine there.

    Raises:
        UsageError: what `rehearse_rounds` tells, which is to be asked before.
        RunError: a generator cannot go on. All answers so far are stored, and the same call goes on from there.
    """
    chosen = find_executor(registry, executor)

    def tell(event: AnswersStored) -> None:
        registry.announce("genre_answers_stored", event=event)

    async def enrich_all(answers: AnswerStore) -> dict[str, Enriched]:
        enriched: dict[str, Enriched] = {}
        async with generator_pool(registry, observer.on_message) as pool:
            work = Work(
                registry,
                answers,
                Budget() if budget is None else Budget(limit=budget),
                on_stored=tell,
                on_route_down=lambda name, reason: observer.on_message(f"{name} answers nothing any more: {reason}"),
                on_slowed=lambda name, rate: observer.on_message(_slowed(name, rate)),
            )
            async with chosen.open(work) as asker:
                for name, rounds in variants.items():
                    made, reports = await run_rounds(
                        dataset,
                        retrying(rounds, folder / name, answers) if retry_quarantined else rounds,
                        pool,
                        asker,
                        folder=folder / name,
                        on_progress=functools.partial(observer.on_round, name),
                    )
                    enriched[name] = Enriched(made, tuple(reports))
                    observer.on_enriched(name, enriched[name].reports)
        return enriched

    with closing(AnswerStore(store)) as answers:
        return run_to_end(enrich_all(answers))


def _slowed(name: str, rate: float | None) -> str:
    fewer = "fewer are kept in flight" if rate is None else f"{rate:.1f} a second are begun at most"
    return f"{name} refuses calls as too many; {fewer} until it takes more"


def rehearse_rounds(
    registry: Registry,
    dataset: Dataset,
    variants: Mapping[str, Sequence[PreparedRound]],
    *,
    executor: str | None = None,
) -> None:
    """Make once what the rounds of every variant need: what is missing is told before a file is made or money spent.

    Raises:
        UsageError: there is no such executor, or a generator or a gate cannot be made.
    """
    find_executor(registry, executor)
    run_to_end(_rehearse_generators(registry, variants.values()))
    _rehearse_gates(dataset, variants.values())


async def _rehearse_generators(registry: Registry, variants: Iterable[Sequence[PreparedRound]]) -> None:
    async with generator_pool(registry) as pool:
        for name in dict.fromkeys(each.generator_name for rounds in variants for each in rounds):
            pool.get(name)


def _rehearse_gates(dataset: Dataset, variants: Iterable[Sequence[PreparedRound]]) -> None:
    made: set[tuple[str, ...]] = set()
    for rounds in variants:
        written, earlier = dataset, ""
        for each in rounds:
            for name, make in each.gates.items():
                # Equal gates of several variants are made once: over a large data set that takes a while.
                key = (name, repr(each.options.get("gates")), earlier)
                if key not in made:
                    made.add(key)
                    make(written)
            written, earlier = _as_if_written(written, each), f"{earlier} {each.task.name}/{each.name}"


def _as_if_written(dataset: Dataset, prepared: PreparedRound) -> Dataset:
    """A data set with the round's version of any text field that it may write: a later round's gate may read it."""
    properties = prepared.prompter.schema.get("properties")
    renamed = prepared.options.get("fields")
    named = {*(properties if isinstance(properties, Mapping) else ()), prepared.options.get("field")}
    named |= set(renamed.values()) if isinstance(renamed, Mapping) else set()
    fields = sorted({*dataset.text_fields, *(name for name in named if isinstance(name, str))})
    if not dataset.news.height:
        return dataset
    rows = pl.DataFrame({"field": fields}).with_columns(
        news=pl.lit(0), version=pl.lit(prepared.name), model=pl.lit(""), text=pl.lit("")
    )
    return dataset.with_texts(rows)
