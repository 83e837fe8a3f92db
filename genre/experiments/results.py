"""Result rows, one for each variant, baseline, seed, split and segment, and the files of a run folder that say them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NotRequired, TypedDict

import attrs

from genre.errors import UsageError
from genre.modeling.metrics import METRICS
from genre.parts import CellFinished, EpochFinished, cell_name
from genre.staging import staged_file

RESULTS_JSON: Final = "results.json"
EXPERIMENT_JSON: Final = "experiment.json"
SUMMARY_JSON: Final = "summary.json"
CELL_RESULT: Final = "result.json"


class Epoch(TypedDict):
    """What `result.json` says of an epoch."""

    epoch: int
    loss: float
    metrics: Mapping[str, float]


class TrainingResult(TypedDict):
    """What `result.json` says of a training, as far as it is read again."""

    epochs: list[Epoch]
    best_epoch: int


class CellResult(TypedDict):
    """What a `result.json` says, as far as it is read again; folders of older versions lack some of it."""

    key: str
    rows: list[dict[str, object]]
    training: NotRequired[TrainingResult]
    inputs: NotRequired[Mapping[str, object]]


@attrs.frozen
class Cell:
    """One training: a variant, a baseline and a seed."""

    variant: str
    baseline: str
    seed: int

    @property
    def name(self) -> str:
        """Name of the cell's folder, and of its progress bar."""
        return cell_name(self.variant, self.baseline, self.seed)


@attrs.frozen
class UntrainedCell:
    """An untrained baseline on a variant; there is no seed."""

    variant: str
    baseline: str
    seed: None = attrs.field(default=None, init=False)

    @property
    def name(self) -> str:
        """Name of the cell's folder; no training's, which ends in a number."""
        return cell_name(self.variant, self.baseline, self.seed)


def impressions_file(split: str) -> str:
    """Name of the file in a cell's folder that keeps the impressions of a split."""
    return f"impressions-{split}.parquet"


def result_rows(
    cell: Cell | UntrainedCell, split: str, summary: Sequence[Mapping[str, object]], *, leaked: bool
) -> list[dict[str, object]]:
    """The rows of `results.json` for one cell and split.

    Args:
        summary: a row a segment, with the metrics and the number of impressions.
        leaked: the variant rests on answers that were made from more than the prompts say.
    """
    place = {"variant": cell.variant, "baseline": cell.baseline, "seed": cell.seed, "split": split}
    return [
        {
            **place,
            "segment": row["segment"],
            **{name: row[name] for name in METRICS},
            "impressions": row["impressions"],
            "leaked": leaked,
        }
        for row in summary
    ]


@contextmanager
def cell_result(folder: Path) -> Iterator[CellResult]:
    """What the `result.json` of a cell says; a mistake in what is looked for in the block is one of the file.

    Args:
        folder: the cell's.

    Raises:
        UsageError: it cannot be read, or lacks what is looked for.
    """
    path = folder / CELL_RESULT
    try:
        yield json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"not a cell's result: {error!r}", where=path, remedy="delete the file") from error


def finished_cell(cell: Cell, folder: Path, *, reused: bool = False) -> CellFinished:
    """What the `result.json` of a finished cell says.

    Args:
        folder: the cell's.
        reused: it was finished by an earlier call.

    Raises:
        UsageError: it cannot be read.
    """
    with cell_result(folder) as result:
        epochs = [
            EpochFinished(cell.variant, cell.baseline, cell.seed, each["epoch"], each["loss"], each["metrics"])
            for each in result["training"]["epochs"]
        ]
        return CellFinished(cell.variant, cell.baseline, cell.seed, list(result["rows"]), epochs, reused)


def mean_rows(rows: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """Rows with each metric's mean over the seeds, in the order of first appearance; None if nothing was measured.

    `seeds` is how many there are: 0 for an untrained baseline, which has one row and no seed.
    """
    groups: dict[tuple[object, ...], list[Mapping[str, object]]] = {}
    keys = ("variant", "baseline", "split", "segment")
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    means: list[dict[str, object]] = []
    for group, members in groups.items():
        measured = {name: [value for member in members if isinstance(value := member[name], float)] for name in METRICS}
        means.append(
            {
                **dict(zip(keys, group, strict=True)),
                **{name: sum(values) / len(values) if values else None for name, values in measured.items()},
                "impressions": members[0]["impressions"],
                "leaked": members[0]["leaked"],
                "seeds": sum(member["seed"] is not None for member in members),
            }
        )
    return means


def write_json(path: Path, value: object) -> None:
    """Write a JSON file, whole or not at all.

    Raises:
        RunError: it cannot be written.
    """
    with staged_file(path, "result") as staging:
        staging.write_text(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
