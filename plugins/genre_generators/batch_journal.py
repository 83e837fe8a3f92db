"""The journal of batches: what was sent is on disk before it costs money, so that it is never sent twice."""

import re
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs

from genre.errors import RunError
from genre.parts import Json
from genre_generators.synced_lines import append_line, begin_file, read_lines

RETAINED_SECONDS: Final = 29 * 86_400
"""Providers delete results after 29 or 30 days; a batch that is older answers nothing any more."""
_KEY: Final = re.compile(r"[0-9a-f]{40}(-[0-9]{1,9})?")


@attrs.define(eq=False)
class BatchRecord:
    """One batch in the journal.

    Attributes:
        path: its file. The name is made here; no text of a server is part of it.
        service: protocol and address of the provider.
        made: seconds since 1970.
        keys: the prompts in it, by the keys of their answers.
        file: the provider's id of the uploaded requests; None while they are not uploaded.
        batch: the provider's id of the batch; None while it is not known to have been made.
        unanswered: prompts that it has no answer for, or whose answer is stored by now.
    """

    path: Path
    service: str
    made: float
    keys: tuple[str, ...]
    file: str | None = None
    batch: str | None = None
    unanswered: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        """Our own name of the batch."""
        return self.path.stem


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
            found = [record for path in sorted(self._folder.glob("*.jsonl")) if (record := self._read(path))]
            for record in found:
                if record.made < time.time() - RETAINED_SECONDS:
                    record.path.unlink(missing_ok=True)
        alive = [record for record in found if record.path.exists()]
        return sorted((each for each in alive if each.service == self._service), key=lambda record: record.made)

    def begin(self, keys: Iterable[str]) -> BatchRecord:
        """Write down a batch that is about to be sent."""
        path = self._folder / f"{secrets.token_hex(16)}.jsonl"
        record = BatchRecord(path, self._service, time.time(), tuple(keys))
        first: dict[str, Json] = {"format": 1, "service": record.service, "made": record.made, "keys": [*record.keys]}
        with self._told():
            begin_file(path, first)
        return record

    def uploaded(self, record: BatchRecord, file: str) -> None:
        """The requests are uploaded; the batch is about to be made."""
        with self._told():
            append_line(record.path, {"file": file})
        record.file = file

    def created(self, record: BatchRecord, batch: str) -> None:
        """The batch is made."""
        with self._told():
            append_line(record.path, {"batch": batch})
        record.batch = batch

    def ended(self, record: BatchRecord, unanswered: Iterable[str]) -> None:
        """The batch has ended; it has no answers, or none any more, for prompts that may be sent in another one."""
        new = frozenset(unanswered)
        record.unanswered = record.unanswered | new
        if record.unanswered.issuperset(record.keys):
            self.discard(record)
            return
        with self._told():
            append_line(record.path, {"unanswered": [*sorted(new)]})

    def discard(self, record: BatchRecord) -> None:
        """Forget a batch that was not made, or has no answers."""
        with self._told():
            record.path.unlink(missing_ok=True)

    def _read(self, path: Path) -> BatchRecord | None:
        first, *events = read_lines(path) or [{}]
        service, made, keys = first.get("service"), first.get("made"), first.get("keys")
        known = first.get("format") == 1 and isinstance(service, str) and isinstance(made, int | float)
        if not known or not isinstance(keys, list) or not all(isinstance(k, str) and _KEY.fullmatch(k) for k in keys):
            raise RunError(
                "this is no journal of a batch, or is damaged",
                where=path,
                remedy="look at your provider's list of batches; once you remove the file, its prompts are sent again",
            )
        record = BatchRecord(path, str(service), float(str(made)), tuple(map(str, keys)))
        for event in events:
            file, batch, unanswered = event.get("file"), event.get("batch"), event.get("unanswered")
            record.file = file if isinstance(file, str) else record.file
            record.batch = batch if isinstance(batch, str) else record.batch
            if isinstance(unanswered, list):
                record.unanswered |= frozenset(map(str, unanswered))
        return record

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RunError(f"the journal of batches cannot be used: {error}", where=self._folder) from error
