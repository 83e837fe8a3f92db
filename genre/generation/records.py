"""Where a round's answers go: usable ones into a columnar table on disk, all others into quarantine."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import polars as pl

from genre.errors import UsageError
from genre.generation.answers import column_value, record_columns
from genre.generation.store import StoredAnswer
from genre.parts import Json, Prompt, Record

PART_ROWS: Final = 50_000
PROVENANCE: Final = ("subject", "draw", "version", "model")


class RecordSink:
    """Records as Parquet files of `PART_ROWS` rows in `folder/records`; what was there before is replaced."""

    def __init__(self, folder: Path, schema: Mapping[str, Json], version: str) -> None:
        answer = record_columns(schema)
        clash = sorted(set(answer) & set(PROVENANCE))
        if clash:
            raise UsageError(f"an answer may not have a property {clash[0]!r}: the records keep their provenance there")
        self._folder = folder / "records"
        self._version = version
        self._answer = answer
        self._columns = pl.Schema(
            {"subject": pl.String, "draw": pl.UInt32, "version": pl.String, "model": pl.String, **answer}
        )
        self._rows: list[tuple[object, ...]] = []
        self._parts: list[Path] = []

    def __enter__(self) -> Self:
        shutil.rmtree(self._folder, ignore_errors=True)
        try:
            self._folder.mkdir(parents=True)
        except OSError as error:
            raise UsageError(f"the folder cannot be made: {error}", where=self._folder) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._rows.clear()

    def add(self, prompt: Prompt, model: str, record: Record) -> None:
        """Append one record."""
        values = (column_value(record.get(name), column) for name, column in self._answer.items())
        self._rows.append((prompt.subject, prompt.draw, self._version, model, *values))
        if len(self._rows) >= PART_ROWS:
            self._flush()

    def scan(self) -> pl.LazyFrame:
        """All records so far, in the order in which they were added."""
        self._flush()
        return pl.scan_parquet(self._parts, glob=False)

    def _flush(self) -> None:
        if self._rows or not self._parts:
            path = self._folder / f"{len(self._parts):05}.parquet"
            pl.DataFrame(self._rows, schema=self._columns, orient="row").write_parquet(path)
            self._parts.append(path)
            self._rows.clear()


class Quarantine:
    """Answers that cannot be used, with the reason: one JSON line each in `folder/quarantine.jsonl`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "quarantine.jsonl"
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("w", encoding="utf-8")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._file is not None
        self._file.close()

    def add(self, answer: StoredAnswer, reason: str) -> None:
        """Keep an answer that cannot be used."""
        assert self._file is not None
        row = {
            "task": answer.task,
            "subject": answer.subject,
            "draw": answer.draw,
            "generator": answer.generator,
            "model": answer.completion.model,
            "reason": reason,
            "text": answer.completion.text,
            "key": answer.key.hex(),
        }
        self._file.write(json.dumps(row, ensure_ascii=True) + "\n")
