"""Who is told how far a run is."""

from collections.abc import Mapping

from genre.generation import RoundProgress


class Observer:
    """Hears of progress and does nothing with it; the command line's subclass draws it."""

    def on_round(self, variant: str, progress: RoundProgress) -> None:
        """A round of enrichment got further."""

    def on_steps(self, cell: str, epoch: int, done: int, total: int) -> None:
        """A training got further within an epoch."""

    def on_epoch(self, cell: str, epoch: int, loss: float, metrics: Mapping[str, float]) -> None:
        """A training epoch is over and evaluated."""

    def on_message(self, text: str) -> None:
        """Something worth a line happened."""
