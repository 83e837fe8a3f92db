"""Laws of tasks: those of the prompter and the updater under the task's options, and of whole rounds."""

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import attrs

from genre.dataset import Dataset
from genre.generation.engine import Engine
from genre.generation.limits import Limits
from genre.generation.prepare import PreparedRound
from genre.generation.reports import RoundReport
from genre.generation.rounds import run_rounds
from genre.generation.routing import Routing
from genre.generation.store import AnswerStore
from genre.parts import Completion, Identity, Prompt
from genre.testing.check import Check, checks_of, require
from genre.testing.datasets import require_saving_keeps
from genre.testing.examples import example_answer
from genre.testing.prompters import prompter_laws
from genre.testing.subject import Subject
from genre.testing.trial import MODEL, Trial
from genre.testing.updaters import updater_laws


def task_checks(
    subject: Subject,
    *,
    dataset: Dataset | None = None,
    answer: Callable[[Prompt], str] = example_answer,
) -> list[Check]:
    """The suite of a task: prompter, updater, and rounds from end to end with example answers.

    Args:
        subject: the task, with options over its own.
        dataset: what the task is run on; default: a small one with topics, regions, and new and warm readers.
        answer: makes a good answer to a prompt; default: an example of the prompt's schema.
    """
    trial = Trial(subject, subject.name, dataset, answer)
    # Both halves tell misspelt options, and a task has one set of options.
    halves = {check.name: check for check in (*updater_laws(trial), *prompter_laws(trial))}
    return [*halves.values(), *checks_of(_Laws(trial))]


@attrs.frozen(eq=False)
class _ExampleGenerator:
    """Answers every prompt with an example."""

    answer: Callable[[Prompt], str]
    identity: Identity = attrs.field(factory=lambda: Identity(model="example", endpoint="genre.testing"))

    async def complete(self, prompt: Prompt) -> Completion:
        return Completion(text=self.answer(prompt), model=MODEL)


@attrs.frozen(eq=False)
class _OneGenerator:
    """One generator under every name."""

    generator: _ExampleGenerator

    def get(self, name: str) -> Routing:
        return Routing.to(self.generator, Limits(attempts=1), name)


@attrs.frozen(eq=False)
class _Laws:
    trial: Trial

    def a_round_makes_a_record_of_every_good_answer(self) -> None:
        [[report]] = [reports for _, reports in self._rounds([self.trial.prepared()])]
        lost = {why: count for why, count in report.quarantined.items() if not why.startswith("rejected by ")}
        require(
            report.records > 0 and not lost,
            "a round makes a record of every good answer that its gates let pass",
            found=f"{report.records} records of {report.prompts} prompts, lost: {lost or dict(report.quarantined)}",
            remedy="let `parse` accept what the schema accepts, and gates what is good",
        )

    def a_round_that_is_run_again_asks_for_nothing(self) -> None:
        prepared = self.trial.prepared()
        (first, _), (second, [report]) = self._rounds([prepared], [self.trial.prepared()])
        require(
            report.calls == 0 and first.fingerprint == second.fingerprint,
            "a round that is run again is answered from the store, and gives equal data",
            found=f"{report.calls} calls, fingerprints {first.fingerprint} and {second.fingerprint}",
            remedy="make equal prompts from equal data, and take nothing but the records into the update",
        )

    def a_second_round_of_another_name_builds_on_the_first(self) -> None:
        [(dataset, reports)] = self._rounds([self.trial.prepared(), self.trial.prepared(name="conformance-again")])
        require(
            all(report.prompts for report in reports),
            "a second round of another name builds on the first",
            found=f"{[report.prompts for report in reports]} prompts",
            remedy="ask about original news and readers; name what is added after the round (`version`)",
        )
        old = self.trial.dataset().lineage
        named = [step.details["round"] for step in dataset.lineage[len(old) :] if step.operation == "round"]
        require(
            dataset.lineage[: len(old)] == old and named == [report.name for report in reports],
            "the lineage tells every step, and is only appended to",
            found=f"{[step.operation for step in dataset.lineage]}",
            remedy="keep the lineage of the data set that is updated",
        )

    def what_a_round_made_can_be_saved_and_loaded(self) -> None:
        [(dataset, _)] = self._rounds([self.trial.prepared()])
        require_saving_keeps(dataset)

    def _rounds(self, *chains: list[PreparedRound]) -> list[tuple[Dataset, list[RoundReport]]]:
        """Each chain run on a data set of its own, with one store for all."""
        pool = _OneGenerator(_ExampleGenerator(self.trial.answer))
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            with closing(AnswerStore(place / "answers.sqlite")) as store:
                return [
                    asyncio.run(
                        run_rounds(self.trial.dataset(), chain, pool, Engine(store), folder=place / str(number))
                    )
                    for number, chain in enumerate(chains)
                ]
