"""Laws of gates: a reason or None, the same for the same answers in the same order."""

import copy
from collections.abc import Callable
from typing import cast

import attrs

from genre.dataset import Dataset
from genre.errors import UsageError
from genre.parts import Gate, Prompt, Record
from genre.testing.check import Check, checks_of, require, shown
from genre.testing.datasets import require_untouched
from genre.testing.examples import example_answer
from genre.testing.subject import Subject, require_misspelling_is_told
from genre.testing.trial import Trial


def gate_checks(
    subject: Subject,
    *,
    task: str | None = None,
    dataset: Dataset | None = None,
    answer: Callable[[Prompt], str] = example_answer,
) -> list[Check]:
    """The suite of a gate, on the records of a task's example answers.

    Args:
        subject: the gate.
        task: the task whose records it judges; default: the first that names the gate, or else the first of all.
        dataset: what the prompts ask about; default: a small one with topics, regions, and new and warm readers.
        answer: makes a good answer to a prompt; default: an example of the prompt's schema.

    Raises:
        UsageError: there is no such task.
    """
    return checks_of(_Laws(Trial(subject, _task(subject, task), dataset, answer)))


@attrs.frozen(eq=False)
class _Laws:
    trial: Trial

    def a_verdict_is_none_or_a_reason(self) -> None:
        for verdict in self._verdicts(self.trial.dataset()):
            require(
                verdict is None or (isinstance(verdict, str) and bool(verdict.strip())),
                "`reject` returns None or a reason that is not empty",
                found=shown(verdict),
                remedy="return None to accept, and a short text to reject",
            )

    def the_same_answers_in_the_same_order_get_the_same_verdicts(self) -> None:
        once, again = self._verdicts(self.trial.dataset()), self._verdicts(self.trial.dataset())
        odd = next((pair for pair in zip(once, again, strict=True) if pair[0] != pair[1]), None)
        require(
            odd is None,
            "the same answers in the same order get the same verdicts from a new gate",
            found=shown(odd),
            remedy="keep state in the instance only, and draw from seeds only",
        )

    def judging_leaves_the_data_set_as_it_is(self) -> None:
        require_untouched(self.trial.dataset(), self._verdicts, "judging")

    def judging_leaves_the_records_as_they_are(self) -> None:
        dataset = self.trial.dataset()
        answered = self._answered(dataset)
        before = copy.deepcopy([dict(record) for _, record in answered])
        gate = self._make(dataset)
        for (prompt, record), was in zip(answered, before, strict=True):
            gate.reject(prompt, record)
            require(
                dict(record) == was,
                "judging leaves the record as it is",
                found=f"{shown(was)} became {shown(dict(record))}",
                remedy="a gate accepts or rejects; a prompter's `parse` is where records are made",
            )

    def a_misspelt_option_is_told(self) -> None:
        dataset = self.trial.dataset()
        subject = self.trial.subject
        require_misspelling_is_told(subject.option_names, lambda further: subject.make(further, dataset=dataset))

    def _make(self, dataset: Dataset) -> Gate:
        return cast(Gate, self.trial.subject.make(dataset=dataset))

    def _answered(self, dataset: Dataset) -> list[tuple[Prompt, Record]]:
        return self.trial.answered(self.trial.prompter(), dataset)

    def _verdicts(self, dataset: Dataset) -> list[object]:
        """What a new gate says of every answer, in their order."""
        gate = self._make(dataset)
        return [gate.reject(prompt, record) for prompt, record in self._answered(dataset)]


def _task(subject: Subject, wanted: str | None) -> str:
    registry = subject.registry
    if wanted is not None:
        return registry.task(wanted).name
    tasks = [registry.task(entry.part.name) for entry in registry.parts("task") if entry.enabled]
    if not tasks:
        raise UsageError(
            f"no task is registered, and the gate {subject.name!r} judges a task's answers",
            remedy="install a plugin with tasks, or register one",
        )
    return next((task.name for task in tasks if subject.name in task.gates), tasks[0].name)
