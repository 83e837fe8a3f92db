"""A task on trial: its prompter and updater on a data set, with example answers in place of a model's."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import attrs
import polars as pl

from genre.dataset import Dataset
from genre.errors import UsageError
from genre.generation.prepare import PreparedRound, RoundSpec, prepare_round
from genre.generation.records import RecordSink
from genre.options import option_names
from genre.parts import Prompt, Prompter, Record
from genre.testing.check import ConformanceError
from genre.testing.example_data import copied, example_dataset
from genre.testing.examples import example_answer
from genre.testing.subject import Subject, require_misspelling_is_told

MODEL = "example-1"
"""The model that example answers say they come from."""


@attrs.frozen(eq=False)
class Trial:
    """What prompter, updater, task and gate suites share.

    Attributes:
        subject: the part under test.
        task: the task that it is tested as a part of; None for a prompter that no task uses.
        given: the data set of the inputs, or None for the example.
        answer: from a prompt to the text of an answer.
    """

    subject: Subject
    task: str | None
    given: Dataset | None = None
    answer: Callable[[Prompt], str] = example_answer

    def dataset(self) -> Dataset:
        """A copy of the data set that nobody else has."""
        return copied(self.given or example_dataset())

    def prepared(self, *, further: Mapping[str, object] | None = None, name: str | None = None) -> PreparedRound:
        """New instances of the task's parts, as a round has them."""
        assert self.task is not None
        # The subject's options are those of the task, except where a gate is tested, which has options of its own.
        mine = {} if self.subject.kind == "gate" else self.subject.options
        spec = RoundSpec(self.task, generator="example", name=name, options={**mine, **(further or {})})
        return prepare_round(self.subject.registry, spec, where="genre.testing")

    def prompter(self, further: Mapping[str, object] | None = None) -> Prompter:
        """A new prompter."""
        if self.task is None:
            return cast(Prompter, self.subject.make(further, task="conformance"))
        return self.prepared(further=further).prompter

    def asked(self, prompter: Prompter, dataset: Dataset) -> list[Prompt]:
        """All prompts about the data set.

        Raises:
            ConformanceError: there are none, so that no law would say anything.
        """
        prompts = list(prompter.prompts(dataset))
        if not prompts:
            raise ConformanceError(
                "a prompter asks about some subject of the data set",
                "no prompts",
                "give `checks` an input dataset=... that it has something to ask about",
            )
        return prompts

    def answered(self, prompter: Prompter, dataset: Dataset) -> list[tuple[Prompt, Record]]:
        """Every prompt with the record of its example answer."""
        return [(prompt, prompter.parse(prompt, self.answer(prompt))) for prompt in self.asked(prompter, dataset)]

    @contextmanager
    def records(self, prepared: PreparedRound, dataset: Dataset, *, none: bool = False) -> Iterator[pl.LazyFrame]:
        """The records of the example answers, through the table that rounds write; while the block runs.

        Args:
            none: no records, as of a round whose answers were all refused.
        """
        rows = [] if none else self.answered(prepared.prompter, dataset)
        with (
            tempfile.TemporaryDirectory() as folder,
            RecordSink(Path(folder), prepared.prompter.schema, prepared.name) as sink,
        ):
            for position, (prompt, record) in enumerate(rows):
                sink.add(position, prompt, MODEL, record)
            yield sink.scan()

    def require_misspelling_is_told(self) -> None:
        """The law about options, for a part that gets its options through a task."""
        registry, task = self.subject.registry, self.task
        known = set(self.subject.option_names) if self.subject.kind != "task" else set()
        if self.subject.kind == "task" and task is not None:
            record = registry.task(task)
            for cls in (
                registry.options_class("prompter", record.prompter),
                registry.options_class("updater", record.updater),
            ):
                known |= set(option_names(cls)) if cls else set()
        make = self.prompter if task is None else lambda further: self.prepared(further=further)
        require_misspelling_is_told(sorted(known), make)


def task_that_uses(subject: Subject, wanted: str | None) -> str | None:
    """The task that a prompter or updater is tested in: the wanted one, or the first that names the part.

    Raises:
        UsageError: the wanted task does not exist, or uses another part.
    """
    registry = subject.registry
    using = [
        entry.part.name
        for entry in registry.parts("task")
        if entry.enabled and getattr(registry.task(entry.part.name), subject.kind) == subject.name
    ]
    if wanted is None:
        return using[0] if using else None
    registry.task(wanted)
    if wanted not in using:
        raise UsageError(
            f"the task {wanted!r} does not use the {subject.kind} {subject.name!r}",
            remedy=f"these do: {', '.join(using) or 'none'}",
        )
    return wanted
