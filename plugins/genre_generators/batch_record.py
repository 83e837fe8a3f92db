"""One batch in the journal: the prompts in it, and what is known about it."""

import re
from pathlib import Path
from typing import Final

import attrs

from genre.errors import RunError
from genre_generators.synced_lines import read_lines

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
        found: that batch is the likeliest in the provider's list; it is ours if its results name our prompts.
        strange: ids of batches that were found, and were somebody else's.
        lock: descriptor of its file, while this process is making it.
        unanswered: prompts that it has no answer for, or whose answer is stored by now.
    """

    path: Path
    service: str
    made: float
    keys: tuple[str, ...]
    file: str | None = None
    batch: str | None = None
    unanswered: frozenset[str] = frozenset()
    found: bool = False
    strange: frozenset[str] = frozenset()
    lock: int | None = None

    @property
    def label(self) -> str:
        """Our own name of the batch."""
        return self.path.stem

    @property
    def over(self) -> bool:
        """Whether it has nothing any more that anybody may ask for."""
        return len(self.unanswered) >= len(self.keys)


def read_record(path: Path) -> BatchRecord:
    """What a file says.

    Raises:
        OSError: it cannot be read.
        RunError: it is no record of a batch.
    """
    first, *events = read_lines(path) or [{}]
    service, made, keys = first.get("service"), first.get("made"), first.get("keys")
    known = first.get("format") == 1 and isinstance(service, str) and type(made) in (int, float)
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
        if isinstance(batch, str):
            record.batch, record.found = batch, event.get("found") is True
        if isinstance(strange := event.get("strange"), str):
            record.batch, record.found, record.strange = None, False, record.strange | {strange}
        if isinstance(unanswered, list):
            record.unanswered |= frozenset(map(str, unanswered))
    return record
