"""Files of a run folder as JSON tables, read strictly."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from genre.errors import UsageError

Rows: TypeAlias = Sequence[Mapping[str, object]]


def rows_of(table: Mapping[str, object], key: str, path: Path) -> Rows | None:
    """The list of tables under a key; None without the key.

    Args:
        path: the file, for messages.

    Raises:
        UsageError: it is something else.
    """
    rows = table.get(key)
    if rows is None:
        return None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise UsageError(f"`{key}` is no list of tables", where=path, remedy="run the experiment again")
    return rows


def json_table(path: Path) -> Mapping[str, object] | None:
    """The table that a file holds; None without the file.

    Raises:
        UsageError: it cannot be read, or holds something else.
    """
    if not path.is_file():
        return None
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"the file cannot be read: {error}", where=path, remedy="run the experiment again") from error
    if not isinstance(table, Mapping):
        raise UsageError("the file holds no table", where=path, remedy="run the experiment again")
    return table
