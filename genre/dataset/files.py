"""A data set as a folder: a Parquet file for each table and a manifest."""

import json
import re
from pathlib import Path

import polars as pl

from genre.dataset.tables import TABLES, UNREADABLE, Dataset, LineageEntry
from genre.errors import UsageError
from genre.staging import staged_file, staged_for

FORMAT_VERSION = 2
MANIFEST = "dataset.json"
_AGAIN = "import it again"
_TABLE_FILE = re.compile(rf"({'|'.join(TABLES)})-[0-9a-f]{{32}}\.parquet")


def check_dataset_folder(folder: Path) -> None:
    """Whether a data set may be saved here, and the folder made; to be asked before work that is paid for.

    Raises:
        UsageError: `folder` cannot be made, is a file, or holds something that is not a data set.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        others = [path for path in folder.iterdir() if not _is_ours(path)]
    except FileExistsError as error:
        raise UsageError("a file of that name is in the way", where=folder, remedy="name a folder") from error
    except OSError as error:
        raise UsageError(f"the folder cannot be made: {error}", where=folder, remedy="name another folder") from error
    if others and not (folder / MANIFEST).exists():
        raise UsageError(
            "the folder exists and holds no data set", where=folder, remedy="name another folder, or empty this one"
        )


def save_dataset(dataset: Dataset, folder: Path) -> None:
    """Write `dataset` to `folder`, whole or not at all; a data set that was there is replaced.

    The tables' files carry the fingerprint in their names, and the manifest, which names the set that counts, is
    replaced last and in one step: a crash leaves the old set or the new one.

    Raises:
        UsageError: `folder` is a file, or holds something that is not a data set.
        RunError: it cannot be written.
    """
    check_dataset_folder(folder)
    for name in TABLES:
        with staged_file(_table_file(folder, name, dataset.fingerprint), "data set") as staging:
            getattr(dataset, name).write_parquet(staging, compression="zstd")
    manifest = {
        "format": FORMAT_VERSION,
        "fingerprint": dataset.fingerprint,
        "lineage": [{"operation": step.operation, "details": dict(step.details)} for step in dataset.lineage],
    }
    with staged_file(folder / MANIFEST, "data set") as staging:
        staging.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    current = {_table_file(folder, name, dataset.fingerprint) for name in TABLES}
    for path in folder.iterdir():
        if _is_ours(path) and path not in current:
            path.unlink(missing_ok=True)


def load_dataset(folder: Path) -> Dataset:
    """Read what `save_dataset` wrote.

    Raises:
        UsageError: the folder is missing, incomplete, damaged, or of another format version.
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
        lineage = tuple(LineageEntry(step["operation"], dict(step["details"])) for step in manifest["lineage"])
        version, fingerprint = manifest["format"], manifest["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"not a data set's manifest: {error!r}", where=path, remedy=_AGAIN) from error
    if version != FORMAT_VERSION:
        raise UsageError(
            f"format {version}, and this version of genre reads format {FORMAT_VERSION}",
            where=path,
            remedy=_AGAIN,
        )
    # The fingerprint becomes part of file names, so it must be one.
    if not (isinstance(fingerprint, str) and re.fullmatch(r"[0-9a-f]{32}", fingerprint)):
        raise UsageError(f"{fingerprint!r} is not a fingerprint", where=path, remedy=_AGAIN)
    try:
        tables = {name: pl.read_parquet(_table_file(folder, name, fingerprint), glob=False) for name in TABLES}
    except UNREADABLE as error:
        raise UsageError(f"a table cannot be read: {error}", where=folder, remedy=_AGAIN) from error
    try:
        dataset = Dataset(**tables, lineage=lineage)
    except UsageError as error:
        raise UsageError(error.message, where=folder, remedy=_AGAIN) from error
    if dataset.fingerprint != fingerprint:
        raise UsageError("a table is not what was saved: its contents changed", where=folder, remedy=_AGAIN)
    return dataset


def _table_file(folder: Path, table: str, fingerprint: str) -> Path:
    return folder / f"{table}-{fingerprint}.parquet"


def _is_ours(path: Path) -> bool:
    """Whether `save_dataset` wrote this file: a table, or the rest of a write that was cut off."""
    staged = staged_for(path.name)
    return staged == MANIFEST or _TABLE_FILE.fullmatch(staged or path.name) is not None
