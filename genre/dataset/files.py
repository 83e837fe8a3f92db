"""A data set as a folder: a Parquet file for each table and a manifest."""

import json
import shutil
import uuid
from pathlib import Path

import polars as pl

from genre.dataset.tables import TABLES, Dataset, LineageEntry
from genre.errors import UsageError

FORMAT_VERSION = 1
MANIFEST = "dataset.json"


def save_dataset(dataset: Dataset, folder: Path) -> None:
    """Write `dataset` to `folder`, whole or not at all; a data set that was there is replaced.

    Raises:
        UsageError: `folder` holds something that is not a data set.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST).exists():
        raise UsageError(
            "the folder exists and holds no data set",
            where=folder,
            remedy="name another folder, or empty this one",
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    staging.mkdir()
    try:
        for name in TABLES:
            getattr(dataset, name).write_parquet(staging / f"{name}.parquet", compression="zstd")
        manifest = {
            "format": FORMAT_VERSION,
            "fingerprint": dataset.fingerprint,
            "lineage": [{"operation": step.operation, "details": dict(step.details)} for step in dataset.lineage],
        }
        (staging / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def load_dataset(folder: Path) -> Dataset:
    """Read what `save_dataset` wrote.

    Raises:
        UsageError: the folder is missing, incomplete, or of another format version.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise UsageError(
            "no data set here (dataset.json is missing)",
            where=folder,
            remedy="import one first: `genre data import mind --option folder=... --out FOLDER`",
        )
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        lineage = tuple(LineageEntry(step["operation"], step["details"]) for step in manifest["lineage"])
        version = manifest["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"not a data set's manifest: {error!r}", where=path, remedy="import it again") from error
    if version != FORMAT_VERSION:
        raise UsageError(
            f"format {version}, and this version of genre reads format {FORMAT_VERSION}",
            where=path,
            remedy="import it again",
        )
    try:
        tables = {name: pl.read_parquet(folder / f"{name}.parquet") for name in TABLES}
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UsageError(f"a table cannot be read: {error}", where=folder, remedy="import it again") from error
    return Dataset(**tables, lineage=lineage)
