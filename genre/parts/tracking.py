"""Trackers: where the figures of a run are shown while it goes on and afterwards. The contract, and what they are told.

Called `target(options, run)` with a `TrackedRun`, before the first call of a run is paid. What is missing is told
there, as a `genre.errors.UsageError`; nothing is opened or written before the first event.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

import attrs

from genre.parts.events import EpochFinished, RunFinished, RunPlan, cell_name


@attrs.frozen
class TrackedRun:
    """The run that a tracker is made for.

    Attributes:
        name: the run's name.
        folder: the run folder. It may not be there yet.
    """

    name: str
    folder: Path


@attrs.frozen(kw_only=True)
class RoundFinished:
    """One round of enrichment of one variant, with answers of this run and of the store.

    Attributes:
        variant, round, task, generator: names.
        prompts: prompts that the round had.
        records: prompts that ended as a record.
        quarantined: prompts without a usable answer.
        reused: answers from the store.
        calls: answers that were asked for in this run.
        prompt_tokens, completion_tokens: of the calls of this run.
        cost: US dollars of the calls of this run; None where some price is not known.
        reused_cost: US dollars that the answers of the store cost when they were paid; None likewise.
    """

    variant: str
    round: str
    task: str
    generator: str
    prompts: int
    records: int
    quarantined: int
    reused: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    reused_cost: float | None


@attrs.frozen
class CellFinished:
    """One baseline on one variant with one seed is trained and evaluated, now or by an earlier call of the run.

    Attributes:
        seed: None for an untrained baseline.
        rows: its rows of `results.json`. Figures are floats, or None where nothing was measured.
        epochs: its whole training, whoever was told of it before; empty for an untrained baseline.
        reused: it was finished by an earlier call.
    """

    variant: str
    baseline: str
    seed: int | None
    rows: Sequence[Mapping[str, object]]
    epochs: Sequence[EpochFinished] = ()
    reused: bool = False

    @property
    def cell(self) -> str:
        """Name of the cell's folder."""
        return cell_name(self.variant, self.baseline, self.seed)


@attrs.frozen
class RunStopped:
    """A run ended before it was complete; the same call goes on from there.

    Attributes:
        status: whether it failed, or somebody interrupted it.
        reason: what the user was told.
    """

    status: Literal["failed", "interrupted"]
    reason: str


RunEvent: TypeAlias = RunPlan | RoundFinished | EpochFinished | CellFinished | RunFinished | RunStopped
"""What a tracker is told. A later release may tell more: a tracker ignores what it does not know."""


class Tracker(Protocol):
    """Shows figures somewhere.

    The same run may be tracked several times, since it goes on where it stopped. The first epoch that is told of a cell
    is 1 when its training starts, and another one when it goes on. A reused cell is told whole, each time.
    """

    def track(self, event: RunEvent) -> None:
        """Something happened; shown when this returns.

        The first event is the `RunPlan`, the last a `RunFinished` or a `RunStopped`: what is held is freed then. Cells
        may run side by side, so that their epochs alternate. Whatever is raised ends the run.
        """
