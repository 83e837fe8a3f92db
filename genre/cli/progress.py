"""Progress on the terminal: one line for each round and each training."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from genre.experiments.observer import Observer
from genre.generation import RoundProgress
from genre.parts import EpochFinished
from genre.untrusted import harmless_lines


class TerminalObserver(Observer):
    """Draws progress bars on standard error; a context manager."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            TimeElapsedColumn(),
            console=self._console,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def on_round(self, variant: str, progress: RoundProgress) -> None:
        """One bar for each round of each variant."""
        notes = [f"{progress.reused} from the store"] if progress.reused else []
        notes += [f"{progress.quarantined} in quarantine"] if progress.quarantined else []
        self._show(f"{variant}: {progress.name}", progress.done, progress.total, ", ".join(notes))

    def on_steps(self, cell: str, epoch: int, done: int, total: int) -> None:
        """One bar for each training, which starts again each epoch."""
        self._show(cell, done, total, f"epoch {epoch}")

    def on_epoch(self, cell: str, event: EpochFinished) -> None:
        """The newest figures beside the training's bar."""
        figures = " ".join(f"{name} {value:.4f}" for name, value in event.metrics.items() if name == "auc")
        self._note(cell, f"epoch {event.epoch}: loss {event.loss:.4f} {figures}")

    def on_message(self, text: str) -> None:
        """A line above the bars."""
        self._progress.console.print(harmless_lines(text), markup=False, highlight=False)

    def _show(self, name: str, done: int, total: int | None, note: str) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=total, note=note)
        self._progress.update(self._tasks[name], completed=done, total=total, note=note)

    def _note(self, name: str, note: str) -> None:
        if name in self._tasks:
            self._progress.update(self._tasks[name], note=note)
