"""A gate that keeps to the laws, or breaks one of them."""

import itertools
from typing import Any

import attrs

from genre.dataset import Dataset
from genre.parts import Prompt, Record

_numbers = itertools.count()


@attrs.frozen
class ToyOptions:
    """Which law is broken; none."""

    flaw: str = ""


class ToyGate:
    """Rejects every other title."""

    def __init__(self, options: ToyOptions, dataset: Dataset) -> None:
        self.flaw = options.flaw
        self.dataset = dataset
        self.judged = 0

    def reject(self, prompt: Prompt, record: Record) -> str | None:
        self.judged += 1
        if self.flaw == "empty reason":
            return " "
        if self.flaw == "flag":
            return True  # type: ignore[return-value]
        if self.flaw == "state of the module":
            return f"number {next(_numbers)}"
        if self.flaw == "writing":
            self.dataset.news[0, "url"] = "written"
        if self.flaw == "editing":
            edited: Any = record
            edited["title"] = "edited"
        return "every other" if self.judged % 2 else None
