"""What events tell a listening plugin. Never one per item: the hot path is outside pluggy."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs


def cell_name(variant: str, baseline: str, seed: int | None) -> str:
    """Name of a cell and of its folder; without a seed it is an untrained baseline's, and ends in no number."""
    return f"{variant}-{baseline}" if seed is None else f"{variant}-{baseline}-{seed}"


@attrs.frozen
class RunPlan:
    """What a run is about to do.

    Attributes:
        name: the run's name.
        rounds: `(variant, task, generator)` of every round, in order.
        baselines, seeds: what is trained on each variant; empty when the run only enriches.
        experiment: the experiment as it was understood, as `experiment.json` has it; plain data.
    """

    name: str
    rounds: Sequence[tuple[str, str, str]]
    baselines: Sequence[str] = ()
    seeds: Sequence[int] = ()
    experiment: Mapping[str, object] = attrs.field(factory=dict)


@attrs.frozen
class AnswersStored:
    """One group commit of the store: `count` answers of a task are on disk."""

    task: str
    generator: str
    count: int


@attrs.frozen
class EpochFinished:
    """One epoch of one training.

    Attributes:
        metrics: of the early-stopping split, for example `{"auc": .61}`.
    """

    variant: str
    baseline: str
    seed: int
    epoch: int
    loss: float
    metrics: Mapping[str, float]

    @property
    def cell(self) -> str:
        """Name of the cell's folder."""
        return cell_name(self.variant, self.baseline, self.seed)


@attrs.frozen
class RunFinished:
    """A run is complete; `rows` are those of its `results.json`."""

    name: str
    folder: Path
    rows: Sequence[Mapping[str, object]]
