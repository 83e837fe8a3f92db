"""Laws of gates: a reason or None, the same for the same answers in the same order."""

import copy
from typing import cast

import attrs

from genre.dataset import Dataset
from genre.parts import Gate, Prompt, Record
from genre.testing.check import Check, checks_of, require, shown
from genre.testing.datasets import require_untouched
from genre.testing.subject import require_misspelling_is_told
from genre.testing.trial import Trial


def gate_laws(trial: Trial) -> list[Check]:
    """The laws, for the gate on trial, on the records of a task's example answers."""
    return checks_of(_Laws(trial))


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
