"""Laws of executors: wherever prompts are answered, the outcome is that of an engine in this process."""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, cast

import attrs

from genre.discovery import PluginSettings
from genre.errors import RunError
from genre.generation import AnswerStore, Asker, Budget, Engine, Executor, Work, generator_pool
from genre.generation.engine import Answered
from genre.options import structure
from genre.parts import AnswersStored, Message, Prompt, Sampling
from genre.registry import Registry
from genre.settings import Layer
from genre.testing.check import Check, ConformanceError, checks_of, require, shown
from genre.testing.subject import Subject, require_misspelling_is_told

GENERATOR: Final = "conformance-example"
_PLUGINS: Final = Path(__file__).with_name("example_plugins")
_OUTCOMES: Final = ("ok", "ok", "refused", "ok", "truncated", "failed", "skipped", "ok")
_PROMPTS: Final = 80
_COST: Final = 0.2
"""US dollars that the example generator's answers cost."""


def executor_checks(subject: Subject) -> list[Check]:
    """The suite of an executor. Takes no inputs."""
    return checks_of(_Laws(subject))


@attrs.define(eq=False)
class _Round:
    """What one round came to.

    Attributes:
        answered: what was handed out.
        stored: rows of the store afterwards, by key.
        missing: answers that were handed out and not in the store then.
        told: answers that were told to be stored.
        money: the budget afterwards.
        failure: what ended the round, if anything did.
    """

    answered: list[Answered] = attrs.field(factory=list)
    stored: dict[bytes, object] = attrs.field(factory=dict)
    missing: int = 0
    told: int = 0
    money: Budget = attrs.field(factory=Budget)
    failure: RunError | None = None


@attrs.frozen(eq=False)
class _Laws:
    subject: Subject

    def the_answers_are_those_of_an_engine_in_the_order_of_the_prompts(self) -> None:
        with _store() as (mine, other):
            ours, theirs = self._engine(mine, _prompts()), self._run(other, _prompts())
        self._require_equal(theirs, ours, "answers are those of an engine, in the order of the prompts")

    def what_is_stored_is_handed_out_again_without_a_call(self) -> None:
        with _store() as (store, _):
            first, second = self._run(store, _prompts()), self._run(store, _prompts())
        again = [item for item in second.answered if item.answer is not None and item.answer.is_final]
        require(
            all(item.reused for item in again)
            and [item.answer for item in again]
            == [item.answer for item in first.answered if item.answer is not None and item.answer.is_final],
            "what is stored is handed out again, without a call",
            found=f"{sum(not item.reused for item in again)} of {len(again)} were asked again",
            remedy="look the keys of all routes up before a prompt is sent anywhere",
        )

    def an_answer_is_stored_before_it_is_handed_out(self) -> None:
        with _store() as (store, _):
            outcome = self._run(store, _prompts())
        require(
            outcome.missing == 0,
            "an answer is on disk before it is handed out",
            found=f"{outcome.missing} of {len(outcome.answered)} were not",
            remedy="hand an answer out when the store's `put` has returned",
        )

    def stored_answers_are_told(self) -> None:
        with _store() as (store, _):
            outcome = self._run(store, _prompts())
        require(
            outcome.told == len(outcome.stored) > 0,
            "every stored answer is told once",
            found=f"{outcome.told} were told, and {len(outcome.stored)} stored",
            remedy="call `work.on_stored` after each group of answers, and before the round ends",
        )

    def equal_prompts_are_asked_once(self) -> None:
        prompts = [attrs.evolve(_prompt("ok", 0), subject=f"ok-{number}") for number in range(20)]
        with _store() as (store, _):
            outcome = self._run(store, prompts)
        require(
            [item.reused for item in outcome.answered] == [False] + [True] * 19,
            "equal prompts are asked once, and the first is the one that was",
            found=shown([item.reused for item in outcome.answered]),
            remedy="keep the keys that are under way",
        )

    def the_budget_is_not_exceeded(self) -> None:
        limit = 10 * _COST + 2.0
        with _store() as (store, _):
            outcome = self._run(store, [_prompt("ok", number) for number in range(_PROMPTS)], Budget(limit))
        spent = _COST * len(outcome.stored)
        require(
            outcome.failure is not None and 0 < spent <= limit and spent - 1e-9 <= outcome.money.spent <= limit + 1e-9,
            "a round ends with a RunError before its budget is exceeded, and the budget tells what was spent",
            found=f"{spent:g} of {limit:g} USD were spent, {outcome.money.spent:g} were told; {outcome.failure!r}",
            remedy="set the worst case aside before a call, and tell `work.budget` what calls cost",
        )

    def a_generator_that_cannot_go_on_ends_the_round(self) -> None:
        prompts = [*(_prompt("ok", number) for number in range(20)), _prompt("fatal", 0)]
        with _store() as (mine, other):
            ours, theirs = self._engine(mine, prompts), self._run(other, prompts)
        require(
            ours.failure is not None and str(ours.failure) == str(theirs.failure),
            "a generator that cannot go on ends the round, with the words of an engine",
            found=f"{theirs.failure!r} instead of {ours.failure!r}",
            remedy="raise the RunError of the engine that met it",
        )

    def a_misspelt_option_is_told(self) -> None:
        require_misspelling_is_told(self.subject.option_names, self.subject.make)

    def _run(self, store: Path, prompts: Sequence[Prompt], budget: Budget | None = None) -> _Round:
        return asyncio.run(self._ask(store, prompts, budget, cast(Executor, self.subject.make())))

    def _engine(self, store: Path, prompts: Sequence[Prompt]) -> _Round:
        return asyncio.run(self._ask(store, prompts, None, None))

    async def _ask(
        self, store: Path, prompts: Sequence[Prompt], budget: Budget | None, executor: Executor | None
    ) -> _Round:
        outcome = _Round(money=budget or Budget())

        def on_stored(event: AnswersStored) -> None:
            outcome.told += event.count

        registry = self._registry()
        with closing(AnswerStore(store)) as answers:
            work = Work(registry, answers, outcome.money, on_stored)
            try:
                if executor is None:
                    await self._collect(
                        Engine(answers, on_stored, budget=work.budget), registry, prompts, outcome, store
                    )
                else:
                    async with executor.open(work) as asker:
                        await self._collect(asker, registry, prompts, outcome, store)
            except RunError as error:
                outcome.failure = error
            outcome.stored = {row.key: row for row in answers.rows()}
        return outcome

    async def _collect(
        self, asker: Asker, registry: Registry, prompts: Sequence[Prompt], outcome: _Round, store: Path
    ) -> None:
        async with generator_pool(registry) as pool:
            with closing(AnswerStore(store)) as reader:
                async for item in asker.answers(iter(prompts), pool.get(GENERATOR)):
                    outcome.answered.append(item)
                    if item.answer is not None and item.answer.is_final:
                        outcome.missing += item.answer.key not in reader.look_up([item.answer.key])

    def _registry(self) -> Registry:
        """The part's registry with the example generator, which is described by settings alone."""
        settings = self.subject.registry.settings
        plugins = structure(settings.table("plugins"), PluginSettings, settings.where("plugins"))
        layer = settings.origin("plugins", "folders")
        base = layer.path.parent if layer and layer.path else Path.cwd()
        folders = [*(str((base / folder).resolve()) for folder in plugins.folders), str(_PLUGINS)]
        tables = {
            "plugins": {"folders": folders},
            "generators": {GENERATOR: {"limits": {"concurrency": 4, "attempts": 1}}},
        }
        return self.subject.registry.with_settings(settings.over(Layer("genre.testing", tables)))

    @staticmethod
    def _require_equal(theirs: _Round, ours: _Round, law: str) -> None:
        for number, (found, expected) in enumerate(zip(theirs.answered, ours.answered, strict=False)):
            if found != expected:
                raise ConformanceError(law, f"answer {number} is {shown(found)}, not {shown(expected)}", _REMEDY)
        require(
            len(theirs.answered) == len(ours.answered) and theirs.stored == ours.stored,
            law,
            found=f"{len(theirs.answered)} answers, {len(theirs.stored)} stored; not {len(ours.answered)} and "
            f"{len(ours.stored)}",
            remedy=_REMEDY,
        )


_REMEDY: Final = "let an `Engine` make the calls, and hand its answers out unchanged"


def _prompt(outcome: str, number: int) -> Prompt:
    return Prompt(
        task="conformance",
        subject=f"{outcome}-{number}",
        draw=0,
        messages=(Message("system", "Answer."), Message("user", f"{outcome} {number}: \u00e9\u4e2d\U0001f600")),
        sampling=Sampling(max_tokens=20, temperature=0),
        schema={"type": "object", "properties": {"title": {"type": "string"}}},
        version="1",
        user="u",
    )


def _prompts() -> list[Prompt]:
    return [_prompt(_OUTCOMES[number % len(_OUTCOMES)], number) for number in range(_PROMPTS)]


@contextmanager
def _store() -> Iterator[tuple[Path, Path]]:
    """Places for two stores."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "one.sqlite", Path(folder) / "other.sqlite"
