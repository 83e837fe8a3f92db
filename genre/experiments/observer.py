"""Who is told how far a run is."""

from genre.generation import RoundProgress
from genre.parts import EpochFinished
from genre.registry import Registry


class Observer:
    """Hears of progress and does nothing with it; the command line's subclass draws it."""

    def on_round(self, variant: str, progress: RoundProgress) -> None:
        """A round of enrichment got further."""

    def on_steps(self, cell: str, epoch: int, done: int, total: int) -> None:
        """A training got further within an epoch."""

    def on_epoch(self, cell: str, event: EpochFinished) -> None:
        """A training epoch is over and evaluated."""

    def on_message(self, text: str) -> None:
        """Something worth a line happened."""


class Announcer(Observer):
    """Tells plugins of finished epochs, and another observer of everything."""

    def __init__(self, registry: Registry, observer: Observer) -> None:
        self._registry = registry
        self._observer = observer

    def on_round(self, variant: str, progress: RoundProgress) -> None:
        """As it is."""
        self._observer.on_round(variant, progress)

    def on_steps(self, cell: str, epoch: int, done: int, total: int) -> None:
        """As it is."""
        self._observer.on_steps(cell, epoch, done, total)

    def on_epoch(self, cell: str, event: EpochFinished) -> None:
        """As it is, and to `genre_epoch_finished`."""
        self._observer.on_epoch(cell, event)
        self._registry.announce("genre_epoch_finished", event=event)

    def on_message(self, text: str) -> None:
        """As it is."""
        self._observer.on_message(text)
