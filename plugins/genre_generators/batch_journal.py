"""The journal of batches: what was sent is on disk before it costs money, so that it is never sent twice."""

import os
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from genre.errors import RunError
from genre.parts import Json
from genre_generators.batch_record import BatchRecord, read_record
from genre_generators.synced_lines import append_line, begin_file, lock_file

RETAINED_SECONDS: Final = 29 * 86_400
"""Providers delete results after 29 or 30 days; a batch that is older answers nothing any more."""


class Journal:
    """A folder with a file of JSON lines for each batch: its prompts first, then what is learnt about it.

    Raises:
        RunError: the folder cannot be read or written.
    """

    def __init__(self, folder: Path, service: str) -> None:
        self._folder = folder
        self._service = service

    def records(self) -> list[BatchRecord]:
        """The batches of this service that may still answer something, the oldest first; older files are removed."""
        with self._told():
            found: list[BatchRecord] = []
            for path in self._folder.glob("*.jsonl"):
                with suppress(FileNotFoundError):  # another process needs it no more
                    found.append(read_record(path))
            oldest = time.time() - RETAINED_SECONDS
            for record in found:
                if record.made < oldest:
                    self.discard(record)
        alive = [record for record in found if record.made >= oldest and record.service == self._service]
        return sorted(alive, key=lambda record: record.made)

    def begin(self, keys: Iterable[str]) -> BatchRecord:
        """Write down a batch that is about to be sent."""
        path = self._folder / f"{secrets.token_hex(16)}.jsonl"
        record = BatchRecord(path, self._service, time.time(), tuple(keys))
        first: dict[str, Json] = {"format": 1, "service": record.service, "made": record.made, "keys": [*record.keys]}
        with self._told():
            record.lock = begin_file(path, first)
        return record

    def seize(self, record: BatchRecord) -> bool:
        """Whether it is ours to find out what became of it: not while another process is making it.

        What others have learnt about it meanwhile is read.
        """
        with self._told(), suppress(FileNotFoundError):  # another process found out that it was not made
            record.lock = lock_file(record.path) if record.lock is None else record.lock
            found = read_record(record.path)
            record.file, record.batch, record.found = found.file, found.batch, found.found
            return record.lock is not None
        record.file = None
        return True

    def release(self, record: BatchRecord) -> None:
        """Others may find out what became of it."""
        if record.lock is not None:
            os.close(record.lock)
        record.lock = None

    def uploaded(self, record: BatchRecord, file: str) -> None:
        """The requests are uploaded; the batch is about to be made."""
        with self._told():
            append_line(record.path, {"file": file})
        record.file = file

    def created(self, record: BatchRecord, batch: str, *, found: bool = False) -> None:
        """The batch is made; or it was found, and is likely to be ours."""
        with self._told():
            append_line(record.path, {"batch": batch, **({"found": True} if found else {})})
        record.batch, record.found = batch, found

    def strange(self, record: BatchRecord, batch: str) -> None:
        """The batch that was found is somebody else's."""
        with self._told():
            append_line(record.path, {"strange": batch})
        record.batch, record.found, record.strange = None, False, record.strange | {batch}

    def ended(self, record: BatchRecord, unanswered: Iterable[str]) -> None:
        """The batch has ended; it has no answers, or none any more, for prompts that may be sent in another one."""
        new = frozenset(unanswered)
        record.unanswered = record.unanswered | new
        if record.unanswered.issuperset(record.keys):
            self.discard(record)
            return
        with self._told(), suppress(FileNotFoundError):  # another process needs it no more, nor does this one
            append_line(record.path, {"unanswered": [*sorted(new)]})

    def discard(self, record: BatchRecord) -> None:
        """Forget a batch that was not made, or has no answers."""
        with self._told():
            record.path.unlink(missing_ok=True)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RunError(f"the journal of batches cannot be used: {error}", where=self._folder) from error
