"""How far a training is: what a checkpoint keeps beside weights and optimizer."""

from collections.abc import Mapping

import attrs
from torch import Tensor

from genre.modeling.settings import TrainingSettings


@attrs.frozen
class EpochReport:
    """One epoch done.

    Attributes:
        epoch: from 1.
        loss: mean over the epoch's batches.
        metrics: of the early-stopping split, over all its readers; empty without such a split.
        best: whether this is the best epoch so far.
    """

    epoch: int
    loss: float
    metrics: Mapping[str, float]
    best: bool


@attrs.define(eq=False)
class TrainingState:
    """How far a training is.

    Attributes:
        epoch: the one that is trained, from 1.
        step: how many of its batches are done.
        loss: sum of the losses of these.
        reports: the epochs before it.
        best_figure: of the best of these; None before the first.
        best: the recommender's state after the best of these.
    """

    epoch: int = 1
    step: int = 0
    loss: float = 0.0
    reports: tuple[EpochReport, ...] = ()
    best_figure: float | None = None
    best: dict[str, Tensor] = attrs.field(factory=dict)

    @property
    def best_epoch(self) -> int:
        """From 1; 0 before the first epoch is done."""
        return max((report.epoch for report in self.reports if report.best), default=0)

    def ended(self, settings: TrainingSettings) -> bool:
        """Whether all epochs are trained, or no better one is waited for any more."""
        return self.epoch > settings.epochs or self.epoch - 1 - self.best_epoch >= settings.patience

    def end_epoch(
        self, loss: float, metrics: Mapping[str, float], figure: float, state: Mapping[str, Tensor]
    ) -> EpochReport:
        """Go on to the next epoch.

        Args:
            loss: the epoch's mean.
            figure: what makes it the best one.
            state: the recommender's, which is copied if it is the best so far.
        """
        better = self.best_figure is None or figure > self.best_figure
        if better:
            self.best_figure = figure
            self.best = {name: value.clone() for name, value in state.items()}
        report = EpochReport(self.epoch, loss, metrics, better)
        self.reports = (*self.reports, report)
        self.epoch, self.step, self.loss = self.epoch + 1, 0, 0.0
        return report
