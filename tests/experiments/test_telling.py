"""Progress that one process tells another."""

import pytest

from genre.experiments.observer import Observer
from genre.experiments.telling import Teller, hear
from genre.parts import CellFinished, EpochFinished


class Heard(Observer):
    """Everything that was told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def on_steps(self, cell: str, epoch: int, done: int, total: int) -> None:
        self.told.append((cell, epoch, done, total))

    def on_epoch(self, cell: str, event: EpochFinished) -> None:
        self.told.append((cell, event))

    def on_cell(self, cell: str, event: CellFinished) -> None:
        self.told.append((cell, event))

    def on_message(self, text: str) -> None:
        self.told.append((text,))


def test_what_is_told_is_heard_as_it_was() -> None:
    heard = Heard()
    teller = Teller(lambda line: hear(heard, line))
    event = EpochFinished("original", "nrms", 3, epoch=2, loss=0.5, metrics={"auc": 0.6})
    teller.on_steps("original-nrms-3", 1, 2, 10)
    teller.on_epoch("original-nrms-3", event)
    finished = CellFinished("original", "nrms", 3, ({"split": "test", "auc": None, "leaked": False},), (event,))
    teller.on_cell("original-nrms-3", finished)
    teller.on_message("a line")
    assert heard.told == [
        ("original-nrms-3", 1, 2, 10), ("original-nrms-3", event), ("original-nrms-3", finished), ("a line",)
    ]  # fmt: skip


def test_what_no_teller_says_is_refused() -> None:
    with pytest.raises(ValueError, match="not what a Teller tells"):
        hear(Observer(), '["nonsense"]')
