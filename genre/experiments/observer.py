"""Who is told how far a run is."""

from collections.abc import Sequence

from genre.generation import RoundProgress, RoundReport
from genre.parts import CellFinished, EpochFinished, RunFinished
from genre.registry import Registry


class Observer:
    """Hears of progress and does nothing with it; the command line's subclass draws it."""

    def on_round(self, variant: str, progress: RoundProgress) -> None:
        """A round of enrichment got further."""

    def on_enriched(self, variant: str, reports: Sequence[RoundReport]) -> None:
        """All rounds of a variant are done."""

    def on_steps(self, cell: str, epoch: int, done: int, total: int) -> None:
        """A training got further within an epoch."""

    def on_epoch(self, cell: str, event: EpochFinished) -> None:
        """A training epoch is over and evaluated."""

    def on_cell(self, cell: str, event: CellFinished) -> None:
        """A cell is trained and evaluated, or was before."""

    def on_finished(self, event: RunFinished) -> None:
        """The run is complete."""

    def on_message(self, text: str) -> None:
        """Something worth a line happened."""


class Relay(Observer):
    """Hands everything on to another observer."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def on_round(self, variant: str, progress: RoundProgress) -> None:
        """As it is."""
        self._observer.on_round(variant, progress)

    def on_enriched(self, variant: str, reports: Sequence[RoundReport]) -> None:
        """As it is."""
        self._observer.on_enriched(variant, reports)

    def on_steps(self, cell: str, epoch: int, done: int, total: int) -> None:
        """As it is."""
        self._observer.on_steps(cell, epoch, done, total)

    def on_epoch(self, cell: str, event: EpochFinished) -> None:
        """As it is."""
        self._observer.on_epoch(cell, event)

    def on_cell(self, cell: str, event: CellFinished) -> None:
        """As it is."""
        self._observer.on_cell(cell, event)

    def on_finished(self, event: RunFinished) -> None:
        """As it is."""
        self._observer.on_finished(event)

    def on_message(self, text: str) -> None:
        """As it is."""
        self._observer.on_message(text)


class Announcer(Relay):
    """Tells plugins of finished epochs, and another observer of everything."""

    def __init__(self, registry: Registry, observer: Observer) -> None:
        super().__init__(observer)
        self._registry = registry

    def on_epoch(self, cell: str, event: EpochFinished) -> None:
        """As it is, and to `genre_epoch_finished`."""
        super().on_epoch(cell, event)
        self._registry.announce("genre_epoch_finished", event=event)
