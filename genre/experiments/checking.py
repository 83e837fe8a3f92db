"""What is wrong with a set, read by a registered reader or saved."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from genre.dataset import Dataset, Finding, RowsReader, check_dataset, check_rows, load_dataset
from genre.registry import Registry


def check_reader(registry: Registry, reader: str, options: Mapping[str, object]) -> list[Finding]:
    """Check what a reader reads. Of a reader whose target is no `RowsReader` the finished data set is checked.

    Raises:
        UsageError: no such reader, a wrong option, or a row is not what its format says.
    """
    structured = registry.structure_options("dataset", reader, options, where=f"data set {reader}")
    target = registry.target("dataset", reader)
    if isinstance(target, RowsReader):
        return check_rows(target.rows(structured))
    return check_dataset(cast(Dataset, target(structured)), where=reader)


def check_folder(folder: Path) -> list[Finding]:
    """Check a data set that was saved.

    Raises:
        UsageError: there is none, or it is damaged.
    """
    return check_dataset(load_dataset(folder), where=str(folder))
