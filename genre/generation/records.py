"""Where a round's answers go: usable ones into a columnar table on disk, all others into quarantine."""

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import polars as pl

from genre.errors import UsageError
from genre.generation.answers import column_value, record_columns
from genre.generation.waiting import Asked, Unusable
from genre.parts import Json, Prompt, Record
from genre.staging import writing

PART_ROWS: Final = 50_000
QUARANTINE: Final = "quarantine.jsonl"
PROVENANCE: Final = ("subject", "draw", "version", "model", "repaired")
_POSITION: Final = "__position__"
"""Number of the record's prompt in the round. In the files of a round whose records came out of order, no reader of
records sees it."""


class RecordSink:
    """Records as Parquet files of `PART_ROWS` rows in `folder/records`; what was there before is replaced.

    They may come in several passes over the prompts, each in their order; they are read in the order of the prompts.
    """

    def __init__(self, folder: Path, schema: Mapping[str, Json], version: str) -> None:
        answer = record_columns(schema)
        clash = sorted(set(answer) & {*PROVENANCE, _POSITION})
        if clash:
            raise UsageError(f"an answer may not have a property {clash[0]!r}: the records keep their provenance there")
        self._folder = folder / "records"
        self._unordered = folder / ".records"
        self._version = version
        self._answer = answer
        self._columns = pl.Schema(
            {
                _POSITION: pl.UInt64,
                "subject": pl.String,
                "draw": pl.UInt32,
                "version": pl.String,
                "model": pl.String,
                "repaired": pl.Boolean,
                **answer,
            }
        )
        self._rows: list[tuple[object, ...]] = []
        self._parts: list[Path] = []
        self._last = -1
        self._ordered = True

    def __enter__(self) -> Self:
        for left_over in (self._folder, self._unordered):
            shutil.rmtree(left_over, ignore_errors=True)
        try:
            self._folder.mkdir(parents=True)
        except OSError as error:
            raise UsageError(f"the folder cannot be made: {error}", where=self._folder) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._rows.clear()

    def add(self, position: int, prompt: Prompt, model: str, record: Record, *, repaired: bool = False) -> None:
        """Append one record.

        Args:
            position: number of its prompt in the round, from 0.
            repaired: its answer's syntax had to be repaired.
        """
        self._ordered &= position > self._last
        self._last = position
        values = (column_value(record.get(name), column) for name, column in self._answer.items())
        self._rows.append((position, prompt.subject, prompt.draw, self._version, model, repaired, *values))
        if len(self._rows) >= PART_ROWS:
            self._flush()

    def scan(self) -> pl.LazyFrame:
        """All records so far, in the order of the prompts."""
        self._flush()
        if not self._ordered:
            self._order()
        return pl.scan_parquet(self._parts, glob=False).drop(_POSITION)

    def _flush(self) -> None:
        if self._rows or not self._parts:
            self._write(pl.DataFrame(self._rows, schema=self._columns, orient="row"))
            self._rows.clear()

    def _write(self, rows: pl.DataFrame) -> None:
        path = self._folder / f"{len(self._parts):05}.parquet"
        with writing(path, "records"):
            rows.write_parquet(path)
        self._parts.append(path)

    def _order(self) -> None:
        """Write the files anew, in the order of the prompts: a window of positions at a time, to bound memory."""
        with writing(self._folder, "records"):
            self._folder.rename(self._unordered)
            self._folder.mkdir()
        rows = pl.scan_parquet([self._unordered / part.name for part in self._parts], glob=False)
        last = rows.select(pl.col(_POSITION).max()).collect().item()
        self._parts.clear()
        for start in range(0, last + 1, PART_ROWS):
            window = pl.col(_POSITION).is_between(start, start + PART_ROWS, closed="left")
            self._write(rows.filter(window).sort(_POSITION).collect())
        self._ordered = True
        shutil.rmtree(self._unordered)


class Quarantine:
    """Answers that cannot be used, with the reason: one JSON line each in `folder/quarantine.jsonl`.

    The file takes the place of an earlier one when the round is done: until then the earlier one tells what to retry.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / QUARANTINE
        self._staging = folder / f".{QUARANTINE}"
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        with writing(self._path, "quarantine"):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._staging.open("w", encoding="ascii")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._file is not None
        if kind is not None:
            with suppress(OSError):  # of what is thrown away; the error of the block is the one to tell
                self._file.close()
            self._staging.unlink(missing_ok=True)
            return
        with writing(self._path, "quarantine"):
            self._file.close()
            self._staging.replace(self._path)

    def add(self, asked: Asked, last: Unusable) -> None:
        """Keep the last answer to a prompt that has no usable one."""
        assert self._file is not None
        row = {
            "task": asked.prompt.task,
            "subject": asked.prompt.subject,
            "draw": asked.prompt.draw,
            "generator": last.generator,
            "model": last.model,
            "reason": last.reason,
            "text": last.text,
            "key": last.key,
            "asked": len(last.earlier) + 1,
            "earlier": last.earlier,
            "retry": asked.prompt.retry,
        }
        with writing(self._path, "quarantine"):
            self._file.write(json.dumps(row) + "\n")
