"""What an experiment, or a chain of tasks, would ask and cost. Nobody is asked, and nothing is written."""

import functools
import itertools
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal, TypeAlias

import attrs
import polars as pl

from genre.dataset import Dataset, load_dataset
from genre.errors import GenreError
from genre.experiments.loop import run_to_end
from genre.experiments.observer import Observer
from genre.experiments.plan import Experiment, registry_under
from genre.experiments.rounds import rounds_of_experiment, rounds_of_tasks
from genre.experiments.steps import read_dataset
from genre.generation import GeneratorPool, PreparedRound, run_rounds
from genre.generation.costs import Cost
from genre.generation.estimates import ASSUMED, Again, RoundEstimate, StoredAsker
from genre.generation.imagined import ASSUMPTION, imagined_answer
from genre.generation.read_only_store import ReadOnlyStore
from genre.generation.rounds import first_subjects
from genre.parts import Gate, Prompt, Record, Updater
from genre.registry import Registry

Enough: TypeAlias = Literal["worst case", "expected", "no", "unknown"]
"""For what a budget is enough; unknown where a price is, and then a run with a budget is refused."""


@attrs.frozen
class Estimate:
    """What all rounds would ask and cost.

    Attributes:
        rounds: in the order in which a run goes through them.
    """

    rounds: tuple[RoundEstimate, ...]

    @property
    def calls(self) -> int:
        """Calls of all rounds."""
        return sum(each.calls for each in self.rounds)

    @property
    def cost(self) -> Cost:
        """What they are expected to cost."""
        return Cost.sum(each.cost for each in self.rounds)

    @property
    def most(self) -> Cost:
        """The most that they can cost."""
        return Cost.sum(each.most for each in self.rounds)

    @property
    def unpriced(self) -> tuple[str, ...]:
        """Generators whose price is not known."""
        return tuple(dict.fromkeys(name for each in self.rounds for name in each.unpriced))

    def enough(self, budget: float) -> Enough:
        """For what a budget of so many US dollars is enough."""
        if self.unpriced:
            return "unknown"
        if (self.most.usd or 0.0) <= budget:
            return "worst case"
        return "expected" if (self.cost.usd or 0.0) <= budget else "no"

    def as_json(self) -> dict[str, object]:
        """What `genre estimate --json` prints."""
        rounds = [
            {**attrs.asdict(each), "cost": attrs.asdict(each.cost), "most": attrs.asdict(each.most)}
            for each in self.rounds
        ]
        return {
            "rounds": rounds,
            "calls": self.calls,
            "cost": attrs.asdict(self.cost),
            "most": attrs.asdict(self.most),
            "unpriced": list(self.unpriced),
        }


def estimate_experiment(
    experiment: Experiment, registry: Registry, *, store: Path, observer: Observer | None = None
) -> Estimate:
    """What `run_experiment` would ask and cost with the answers that are stored now.

    Args:
        store: the answer store's file; it is not made where it is missing.

    Raises:
        UsageError: something in the experiment is wrong.
    """
    registry = registry_under(experiment, registry)
    variants = rounds_of_experiment(experiment, registry)
    spec = experiment.dataset
    dataset = read_dataset(
        registry, spec.reader, spec.options, vectors=spec.vectors, halve=spec.halve, path=experiment.path
    )
    return _estimate(registry, dataset, variants, store=store, observer=observer)


def estimate_folder(
    registry: Registry,
    folder: Path,
    tasks: Sequence[str],
    *,
    store: Path,
    generator: str | None = None,
    limit: int | None = None,
    options: Mapping[str, object] | None = None,
    observer: Observer | None = None,
) -> Estimate:
    """What `enrich_folder` would ask and cost with the answers that are stored now.

    Args:
        options: go to each task that has them; `gates` goes to all.
        store: the answer store's file; it is not made where it is missing.

    Raises:
        UsageError: an unknown task, generator or option.
    """
    rounds = rounds_of_tasks(registry, tasks, generator=generator, limit=limit, options=options)
    return _estimate(registry, load_dataset(folder), {folder.resolve().name: rounds}, store=store, observer=observer)


def _estimate(
    registry: Registry,
    dataset: Dataset,
    variants: Mapping[str, Sequence[PreparedRound]],
    *,
    store: Path,
    observer: Observer | None,
) -> Estimate:
    async def estimate_all(answers: ReadOnlyStore, folder: Path) -> Estimate:
        pool = GeneratorPool(registry, reads_keys=False)
        try:
            for each in itertools.chain(*variants.values()):
                pool.get(each.generator_name)  # a mistake in the last round's generator is told first, as in a run
            rehearsal = _Rehearsal(pool, answers, observer or Observer(), folder)
            estimates = [await rehearsal.variant(name, rounds, dataset) for name, rounds in variants.items()]
        finally:
            await pool.aclose()
        return Estimate(tuple(itertools.chain(*estimates)))

    # Records pass through files, as in a run, so that a round of any size fits into memory.
    with tempfile.TemporaryDirectory(prefix="genre-estimate-") as folder, closing(ReadOnlyStore(store)) as answers:
        return run_to_end(estimate_all(answers, Path(folder)))


@attrs.define(eq=False)
class _State:
    """What is there after some rounds of a variant.

    Attributes:
        known: the data set with what is stored.
        assumed: the same with what is made up on top.
        assumptions: what is assumed, in words; without any both are equal.
        left_out: some answers are not there yet and could not be made up.
    """

    known: Dataset
    assumed: Dataset
    assumptions: tuple[str, ...] = ()
    left_out: bool = False


@attrs.frozen(eq=False)
class _Rehearsal:
    """Goes through rounds with what is stored. Equal prompts of all of them are paid once."""

    pool: GeneratorPool
    store: ReadOnlyStore
    observer: Observer
    folder: Path
    planned: set[bytes] = attrs.field(factory=set, init=False)

    async def variant(self, variant: str, rounds: Sequence[PreparedRound], dataset: Dataset) -> list[RoundEstimate]:
        """One estimate for each round of a variant."""
        state = _State(dataset, dataset)
        estimates: list[RoundEstimate] = []
        for number, prepared in enumerate(rounds):
            try:
                made = await self._round(variant, prepared, state, is_last=number == len(rounds) - 1)
            except GenreError as error:
                if not state.assumptions:
                    raise  # a run would fail in the same way
                blank = RoundEstimate(variant, prepared.name, prepared.task.name, prepared.generator_name)
                made = attrs.evolve(blank, problem=str(error), assumptions=state.assumptions)
            estimates.append(made)
        return estimates

    async def _round(self, variant: str, prepared: PreparedRound, state: _State, *, is_last: bool) -> RoundEstimate:
        depends = bool(state.assumptions) and (state.left_out or _asks_differently(prepared, state))
        # Nobody reads what the last round writes.
        imagine = _nothing if is_last else functools.partial(imagined_answer, prompter=prepared.prompter)
        asker = StoredAsker(self.store, Again.of(prepared), self.planned, imagine)
        updater = _Untouched() if is_last else _Remembering(prepared.updater)
        rehearsed = attrs.evolve(
            prepared,
            gates={name: functools.partial(_Lenient, make, asker) for name, make in prepared.gates.items()},
            updater=updater,
        )
        assumed, [report] = await run_rounds(
            state.assumed,
            [rehearsed],
            self.pool,
            asker,
            folder=self.folder / variant,
            on_progress=functools.partial(self.observer.on_round, variant),
        )
        made = asker.estimate(variant, prepared.name, prepared.task.name, report.prompts)
        made = attrs.evolve(made, assumptions=state.assumptions if depends else ())
        if isinstance(updater, _Remembering):
            given = updater.records.filter(pl.col("model") != ASSUMED)
            exact = not state.assumptions and not asker.imagined
            state.known = assumed if exact else prepared.updater.update(state.known, given)
            state.assumed = assumed
            state.left_out |= bool(asker.missing)
            state.assumptions += tuple(_assumptions(prepared.name, asker))
        return made


def _nothing(_: Prompt) -> None:
    """No answer."""


def _assumptions(name: str, asker: StoredAsker) -> Iterator[str]:
    if asker.imagined:
        yield (
            f"the {asker.imagined:,} answers that the round {name!r} lacks are all usable, with {ASSUMPTION}, "
            "and its gates accept them"
        )
    if asker.missing:
        yield f"{asker.missing:,} answers that the round {name!r} lacks are left out: none can be made up"


def _asks_differently(prepared: PreparedRound, state: _State) -> bool:
    """Whether a round's prompts depend on what is made up."""
    asked = (first_subjects(prepared.prompter.prompts(each), prepared.limit) for each in (state.known, state.assumed))
    try:
        return any(one != other for one, other in itertools.zip_longest(*asked))
    except GenreError:  # it asks about what is not there yet
        return True


class _Lenient:
    """A gate that accepts what is made up: equal answers, for example, are equal for want of better ones."""

    def __init__(self, make: Callable[[Dataset], Gate], asker: StoredAsker, dataset: Dataset) -> None:
        self._gate = make(dataset)
        self._asker = asker

    def reject(self, prompt: Prompt, record: Record) -> str | None:
        """What the gate says of an answer that was given."""
        return None if self._asker.assuming else self._gate.reject(prompt, record)


class _Remembering:
    """Updates as the round does, and keeps the records."""

    def __init__(self, updater: Updater) -> None:
        self.records = pl.LazyFrame()
        self._updater = updater

    def update(self, dataset: Dataset, records: pl.LazyFrame) -> Dataset:
        """The data set with the records."""
        self.records = records
        return self._updater.update(dataset, records)


class _Untouched:
    """Updates nothing."""

    def update(self, dataset: Dataset, records: pl.LazyFrame) -> Dataset:
        """The data set as it was."""
        del records
        return dataset
