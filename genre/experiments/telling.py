"""Progress told from one process to another, as lines of JSON."""

import json
from collections.abc import Callable

import attrs

from genre.experiments.observer import Observer
from genre.options import structure
from genre.parts import CellFinished, EpochFinished


class Teller(Observer):
    """Tells another process of a training's progress; `hear` is at the other end."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    def on_steps(self, cell: str, epoch: int, done: int, total: int) -> None:
        """As it is."""
        self._tell(json.dumps(["steps", cell, epoch, done, total]))

    def on_epoch(self, cell: str, event: EpochFinished) -> None:
        """As it is."""
        self._tell(json.dumps(["epoch", cell, attrs.asdict(event)]))

    def on_cell(self, cell: str, event: CellFinished) -> None:
        """As it is."""
        self._tell(json.dumps(["cell", cell, attrs.asdict(event)]))

    def on_message(self, text: str) -> None:
        """As it is."""
        self._tell(json.dumps(["message", text]))


def hear(observer: Observer, told: str) -> None:
    """Hand on to an observer what a `Teller` told."""
    match json.loads(told):
        case ["steps", cell, epoch, done, total]:
            observer.on_steps(cell, epoch, done, total)
        case ["epoch", cell, event]:
            observer.on_epoch(cell, structure(event, EpochFinished, "a finished epoch"))
        case ["cell", cell, event]:
            observer.on_cell(cell, structure(event, CellFinished, "a finished cell"))
        case ["message", text]:
            observer.on_message(text)
        case other:
            raise ValueError(f"not what a Teller tells: {other!r}")
