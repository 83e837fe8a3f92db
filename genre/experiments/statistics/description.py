"""What a run folder says of its experiment: variants, features, and what is known of each cell."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs

from genre.errors import UsageError
from genre.experiments.results import CELL_RESULT, EXPERIMENT_JSON, Cell, cell_result
from genre.modeling import FeatureSettings
from genre.options import structure

ORIGINAL: Final = "original"
"""Name of the variant without rounds, by convention."""


@attrs.frozen
class RunVariant:
    """A variant of a run.

    Attributes:
        name: as in the results.
        rounds: how many it has.
        lengths: tokens kept of single text fields, over those of all variants.
    """

    name: str
    rounds: int
    lengths: Mapping[str, int] = attrs.field(factory=dict)


@attrs.frozen
class RunDescription:
    """The part of `experiment.json` that statistics read.

    Attributes:
        variants: in the experiment's order.
        features: what encoders see.
    """

    variants: Sequence[RunVariant]
    features: FeatureSettings

    @property
    def plain(self) -> list[str]:
        """Names of the variants without rounds."""
        return [each.name for each in self.variants if not each.rounds]


def read_description(folder: Path) -> RunDescription | None:
    """What `experiment.json` says; None where there is no such file.

    Raises:
        UsageError: it is not what a run writes.
    """
    path = folder / EXPERIMENT_JSON
    if not path.is_file():
        return None
    try:
        said = json.loads(path.read_text(encoding="utf-8"))["experiment"]
        variants = [
            RunVariant(str(each["name"]), len(each.get("rounds") or ()), _lengths(each.get("lengths") or {}))
            for each in said["variants"]
        ]
        features = said.get("features") or {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"not what a run writes of its experiment: {error!r}", where=path, remedy="run the experiment again"
        ) from error
    return RunDescription(variants, structure(features, FeatureSettings, f"{path}, features"))


def reference_variant(names: Sequence[str], plain: Iterable[str]) -> str:
    """What variants are compared with: `original`, else the first without rounds, else the first.

    Args:
        names: of the variants in the results, at least one.
        plain: of the variants without rounds.
    """
    if ORIGINAL in names:
        return ORIGINAL
    return next((name for name in plain if name in names), names[0])


@attrs.frozen
class CellEpochs:
    """How a training ended.

    Attributes:
        epochs: how many were trained.
        best: the one whose model was kept, from 1.
        watched: whether a split was evaluated after each epoch, without which the last epoch is the best by default.
    """

    epochs: int
    best: int
    watched: bool

    @property
    def still_improved(self) -> bool:
        """Whether no epoch before the last was better."""
        return self.watched and self.best == self.epochs


def read_cell(folder: Path, cell: Cell) -> tuple[CellEpochs | None, Mapping[str, object]]:
    """How the training of a cell went, and the `inputs` that its model sees; None and nothing where it is not told.

    Raises:
        UsageError: its `result.json` is not what a run writes.
    """
    place = folder / "cells" / cell.name
    if not (place / CELL_RESULT).is_file():
        return None, {}
    with cell_result(place) as result:
        training = result.get("training")
        epochs = None
        if training and training["epochs"]:
            watched = bool(training["epochs"][-1]["metrics"])
            epochs = CellEpochs(len(training["epochs"]), int(training["best_epoch"]), watched)
        return epochs, dict(result.get("inputs") or {})


def _lengths(table: Mapping[str, int]) -> Mapping[str, int]:
    return {str(name): int(length) for name, length in table.items()}
