"""The suites of prompters, updaters and gates: parts of a round, held against the prompts of a task and its answers."""

from collections.abc import Callable, Mapping
from typing import Final

from genre.dataset import Dataset
from genre.errors import UsageError
from genre.parts import Kind, Prompt
from genre.testing.check import Check
from genre.testing.examples import example_answer
from genre.testing.gates import gate_laws
from genre.testing.prompters import prompter_laws
from genre.testing.subject import Subject
from genre.testing.trial import Trial, task_that_uses
from genre.testing.updaters import updater_laws


def round_part_checks(
    subject: Subject,
    *,
    task: str | None = None,
    dataset: Dataset | None = None,
    answer: Callable[[Prompt], str] = example_answer,
) -> list[Check]:
    """The suite of a prompter, of an updater on the records of a task's answers, or of a gate on the same.

    Args:
        subject: the part; a prompter or an updater with options of the task.
        task: the task that it is tested in; default: the first that uses it. If there is none, a prompter is tested in
            none, and a gate in the first of all.
        dataset: what is asked about; default: a small one with topics, regions, and new and warm readers.
        answer: makes a good answer to a prompt; default: an example of the prompt's schema.

    Raises:
        UsageError: there is no such task, it does not use the part, or none does and the part needs one.
    """
    task_of, laws = _SUITES[subject.kind]
    return laws(Trial(subject, task_of(subject, task), dataset, answer))


def _task_of_updater(subject: Subject, wanted: str | None) -> str:
    found = task_that_uses(subject, wanted)
    if found is None:
        raise UsageError(
            f"no task uses the updater {subject.name!r}, and its records come from a task's prompts",
            remedy="register a task (hook genre_tasks) that uses it",
        )
    return found


def _task_of_gate(subject: Subject, wanted: str | None) -> str:
    """Any task will do, since every task can have every gate."""
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


_SUITES: Final[Mapping[Kind, tuple[Callable[[Subject, str | None], str | None], Callable[[Trial], list[Check]]]]] = {
    "prompter": (task_that_uses, prompter_laws),
    "updater": (_task_of_updater, updater_laws),
    "gate": (_task_of_gate, gate_laws),
}
"""From a part's kind to the task that it is tested in, and its laws."""
