"""A trained model as a folder to hand on: what `genre.load` needs, and a card that tells people what it is."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from genre.errors import UsageError, nearest
from genre.experiments.model_card import model_card
from genre.experiments.model_folders import model_folder
from genre.experiments.results import CELL_RESULT
from genre.modeling import TrainedModel, check_model_folder, load_model, save_model
from genre.modeling.metrics import METRICS
from genre.modeling.user_ids import without_unread_users
from genre.registry import Registry


def export_model(
    folder: Path | str,
    out: Path | str,
    *,
    cell: str | None = None,
    results: Path | None = None,
    registry: Registry | None = None,
) -> Path:
    """Write a trained model to the folder `out`, which opens anywhere with `genre.load`.

    Ids of users are left out, unless the model reads them, and paths are. The files' hashes are checked when the model
    is loaded.

    Args:
        folder, cell, registry: as for `genre.load`.
        results: figures for the card: what `genre evaluate --json` printed. A cell of a run has its own.

    Returns:
        `out`.

    Raises:
        UsageError: as `genre.load`; or `out` is the model itself or holds something that is not a model, or `results`
            are not results of this model.
    """
    source, out = model_folder(Path(folder), cell), Path(out)
    known = registry or Registry.load()
    model = load_model(source, known)
    check_model_folder(out)
    if out.exists() and out.samefile(source):
        raise UsageError("the export would replace the model", where=out, remedy="name another folder")
    found = source.parent / CELL_RESULT if source.name == "model" else None
    path = results or (found if found and found.is_file() else None)
    rows = [] if path is None else result_rows_of(model, path)
    lean = without_unread_users(model, known)
    save_model(out, lean, card=model_card(lean, rows, known))
    return out


def result_rows_of(model: TrainedModel, path: Path) -> Sequence[Mapping[str, object]]:
    """The rows of a model in a file of results.

    Raises:
        UsageError: the file cannot be read, holds no rows, none of this baseline and seed, or some of several variants.
    """
    remedy = "name what `genre evaluate MODEL DATASET --json` printed"
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
        checked = [_checked(row) for row in rows]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"no results: {error!r}", where=path, remedy=remedy) from error
    baseline, seed = model.recommender.baseline.name, model.seed
    mine = [row for row in checked if (row["baseline"], row["seed"]) == (baseline, seed)]
    if not mine:
        others = sorted({f"{row['baseline']} with seed {row['seed']}" for row in checked})
        raise UsageError(
            f"no results of {baseline} with seed {seed}", where=path, remedy=f"it has others: {nearest('', others)}"
        )
    variants = sorted({str(row["variant"]) for row in mine})
    if len(variants) > 1:  # those of a whole run: not of this model, which was trained on one of them
        raise UsageError(
            f"results of {len(variants)} variants ({', '.join(variants[:3])}), and a model is of one",
            where=path,
            remedy=remedy,
        )
    return mine


def _checked(row: object) -> Mapping[str, object]:
    """A row of results, with what a card shows."""
    if not isinstance(row, Mapping):
        raise ValueError(f"{row!r} is no row")
    names = ("variant", "baseline", "split", "segment")
    texts = {name: row[name] for name in names}
    counts = {"impressions": row["impressions"], "seed": row["seed"]}
    figures = {name: row[name] for name in METRICS}
    for name, value in texts.items():
        if not isinstance(value, str):
            raise ValueError(f"{name} {value!r} is no text")
    for name, value in counts.items():
        if not (type(value) is int or (name == "seed" and value is None)):
            raise ValueError(f"{name} {value!r} is no number")
    for name, value in figures.items():
        if not (value is None or isinstance(value, int | float)):
            raise ValueError(f"{name} {value!r} is no figure")
    return {**texts, **counts, **figures}
