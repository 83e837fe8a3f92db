"""Where trained models are: a folder of their own, a cell, or a run folder with many cells."""

from pathlib import Path

from genre.errors import UsageError, nearest
from genre.modeling import TrainedModel, load_model
from genre.modeling.checkpoint import CONFIG
from genre.registry import Registry


def load(folder: Path | str, *, cell: str | None = None, registry: Registry | None = None) -> TrainedModel:
    """Load a trained model, ready to recommend. Only safetensors and JSON are read; nothing is unpickled.

    Args:
        folder: what `genre train` or `genre export` wrote, a cell of a run folder, or a run folder.
        cell: which cell of a run folder, such as `original-nrms-0`.
        registry: knows the model's parts; by default the one that the command line has.

    Raises:
        UsageError: there is no such model, it is damaged or was altered, or a part of it is not registered.
    """
    return load_model(model_folder(Path(folder), cell), registry or Registry.load())


def model_folder(folder: Path, cell: str | None = None) -> Path:
    """The folder that holds `model.json`; `folder` itself if there is no such file anywhere.

    Raises:
        UsageError: a run folder has no such cell, or several and none is named.
    """
    cells = _cells(folder)
    if cell is not None:
        if not cells:
            raise UsageError(
                "this is no run folder with trained models",
                where=folder,
                remedy="leave the cell out, or check the path",
            )
        if cell not in cells:
            raise UsageError(f"there is no trained cell {cell!r}", where=folder, remedy=nearest(cell, cells))
        return cells[cell]
    for place in (folder, folder / "model"):
        if (place / CONFIG).is_file():
            return place
    if len(cells) > 1:
        raise UsageError(
            f"a run folder with {len(cells)} trained models",
            where=folder,
            remedy=f"name one with --cell, such as {next(iter(cells))}; {nearest('', cells)}",
        )
    return next(iter(cells.values()), folder)


def _cells(folder: Path) -> dict[str, Path]:
    """The trained models of a run folder, by the names of their cells."""
    found = sorted(folder.glob(f"cells/*/model/{CONFIG}"))
    return {path.parent.parent.name: path.parent for path in found}
