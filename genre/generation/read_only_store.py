"""The answer store for those who only look: an estimate, which must leave no trace."""

import sqlite3
from pathlib import Path

from genre.generation.store import CREATE_TABLE, PATIENCE, SINCE_FORMAT_2, AnswerStore


class ReadOnlyStore(AnswerStore):
    """A store that is only looked into: its file is neither made nor changed."""

    def __init__(self, path: Path) -> None:
        """Open a store; a missing file is an empty store.

        Raises:
            UsageError: the file cannot be opened, is not a store, or is of a later version.
        """
        super().__init__(path)

    def _connect(self) -> sqlite3.Connection:
        if not self.path.exists():
            return sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        # Without a write-ahead log nobody has the file open, and SQLite would make one just for reading.
        log = self.path.with_name(f"{self.path.name}-wal")
        how = "mode=ro" if log.exists() else "mode=ro&immutable=1"
        uri = f"{self.path.absolute().as_uri()}?{how}"
        return sqlite3.connect(uri, uri=True, timeout=PATIENCE, check_same_thread=False, isolation_level=None)

    def _prepare(self) -> None:
        version = self._checked_format()
        if version == 0:
            self._connection.execute(CREATE_TABLE.replace("CREATE TABLE", "CREATE TEMP TABLE"))
        elif version == 1:
            missing = ", ".join(
                f"NULL AS {name}" if name != "identity" else "'' AS identity" for name in SINCE_FORMAT_2
            )
            self._connection.execute(f"CREATE TEMP VIEW answers AS SELECT *, {missing} FROM main.answers")  # noqa: S608  names of columns only
