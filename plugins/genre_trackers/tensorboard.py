"""`tensorboard`: a log directory for each cell, `tensorboard/CELL` in the run folder."""

from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from genre.extras import import_extra
from genre.parts import CellFinished, EpochFinished, RunEvent, RunFinished, RunStopped, TrackedRun
from genre_trackers.figures import epoch_figures, final_figures

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


@attrs.frozen
class TensorboardOptions:
    """
    Attributes:
        folder: where log directories of several runs stand, as `folder/RUN/CELL` with the name of the run folder;
            default: the run folder's own.
    """

    folder: Path | None = None


@attrs.define(eq=False)
class _Log:
    """The open log of a cell, with the first and the last epoch in it that this tracker was told of."""

    writer: "SummaryWriter"
    first: int
    last: int = 0

    def add(self, event: EpochFinished) -> None:
        """An epoch that is new; the process of a training that is lost tells some of them again."""
        if event.epoch > self.last:
            for name, value in epoch_figures(event).items():
                self.writer.add_scalar(name, value, event.epoch)
            self.writer.flush()
            self.last = event.epoch


class TensorboardTracker:
    """Figures of epochs by their number, final ones and hyper-parameters at the last.

    A log directory holds one training, whole: that of a reused cell, and of a cell that is trained anew, is replaced.
    """

    def __init__(self, options: TensorboardOptions, run: TrackedRun) -> None:
        import_extra("tensorboard", extra="trackers", part="the tracker 'tensorboard'")
        # Not by the run's name: one experiment may have several run folders, and a log directory holds one training.
        self._folder = options.folder / run.folder.resolve().name if options.folder else run.folder / "tensorboard"
        self._logs: dict[str, _Log] = {}

    def track(self, event: RunEvent) -> None:
        """Write what it says of a cell."""
        if isinstance(event, EpochFinished):
            if event.cell not in self._logs:
                self._logs[event.cell] = self._open(event.cell, event.epoch)
            self._logs[event.cell].add(event)
        elif isinstance(event, CellFinished):
            self._finish(event)
        elif isinstance(event, RunFinished | RunStopped):
            while self._logs:
                self._logs.popitem()[1].writer.close()

    def _finish(self, event: CellFinished) -> None:
        log = self._logs.pop(event.cell, None)
        if log is not None and log.first > 1:  # nobody knows whether the epochs before are there
            log.writer.close()
            log = None
        if log is None:
            log = self._open(event.cell, 1)
            for epoch in event.epochs:
                log.add(epoch)
        figures = final_figures(event.rows)
        for name, value in figures.items():
            log.writer.add_scalar(name, value, len(event.epochs))
        _add_parameters(log.writer, event, figures)
        log.writer.close()

    def _open(self, cell: str, first: int) -> _Log:
        """A log from this epoch on; what was written of it and of later ones before does not count any more."""
        from torch.utils.tensorboard import SummaryWriter

        folder = self._folder / cell
        if first == 1:
            for file in folder.glob("events.out.tfevents.*"):
                file.unlink()
        return _Log(SummaryWriter(folder, purge_step=first), first)


def _add_parameters(writer: "SummaryWriter", event: CellFinished, figures: dict[str, float]) -> None:
    """For the page of hyper-parameters; `SummaryWriter.add_hparams` would make a log directory of its own."""
    from torch.utils.tensorboard.summary import hparams

    values = {"variant": event.variant, "baseline": event.baseline, "seed": str(event.seed)}
    assert writer.file_writer is not None
    for summary in hparams(values, figures):
        writer.file_writer.add_summary(summary)
