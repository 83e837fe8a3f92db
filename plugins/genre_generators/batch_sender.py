"""How a batch is made: written down, uploaded, created; and found again when that was cut off."""

import asyncio
import time
from collections.abc import Callable, Collection
from typing import Final

import attrs

from genre.parts import Fatal, GenerationError, RateLimited, Refused, Transient
from genre_generators.batch import Batch
from genre_generators.batch_journal import Journal
from genre_generators.batch_patience import Patience
from genre_generators.batch_record import BatchRecord
from genre_generators.batch_service import BatchService, Draft

_FULL_SECONDS: Final = 60.0
"""How long to wait when the provider takes no further batch and does not say for how long."""
_LOOKS: Final = 3
"""How many lists of the provider have to lack a batch: it may be in the making while we look."""


class Sender:
    """Makes batches of one service.

    Args:
        service: who is asked to make them.
        journal: where they are written down.
        patience: how long one that may have been made is looked for.
        tell: is told what happens, a line at a time.
    """

    def __init__(
        self, service: BatchService, journal: Journal, patience: Patience, tell: Callable[[str], None]
    ) -> None:
        self._service = service
        self._journal = journal
        self._patience = patience
        self._tell = tell
        self._one_at_a_time = asyncio.Lock()  # so that a kill leaves at most one batch in doubt
        self._known: set[str] = set()

    def know(self, batches: Collection[str]) -> None:
        """These are other batches than any that is looked for."""
        self._known.update(batches)

    async def sent(self, batch: Batch) -> BatchRecord | None:
        """Its place in the journal, once the batch is known to be made; None when it is not, and all are told why."""
        if batch.record is not None and batch.record.batch is not None:
            return batch.record
        async with self._one_at_a_time:
            try:
                if batch.record is None:
                    record = await self._send(batch)
                else:
                    record = await self._look_for(batch.record)
            except _NotMade as found:
                await self._forget(batch, found.error)
                return None
            finally:
                if batch.record is not None:
                    self._journal.release(batch.record)
        batch.requests.clear()
        self._tell(f"batch {record.batch}: {len(record.keys):,} prompts are under way")
        return record

    async def _send(self, batch: Batch) -> BatchRecord:
        batch.record = record = self._journal.begin(batch.requests)  # at once: its lock is ours
        draft = Draft(record.label, list(batch.requests.values()))
        try:
            file = await self._service.upload(draft)
        except GenerationError as error:
            error.may_be_billed = False  # a file costs nothing
            raise _NotMade(error) from error
        await asyncio.to_thread(self._journal.uploaded, record, file)
        try:
            made = await self._service.create(attrs.evolve(draft, file=file))
        except GenerationError as error:
            if isinstance(error, Transient) and error.may_be_billed:
                return await self._look_for(record)
            raise _NotMade(error) from error
        return await self._made(record, made.batch)

    async def _look_for(self, record: BatchRecord) -> BatchRecord:
        """The request to make it was cut off, or the process was killed meanwhile: the provider knows whether it is."""
        while not self._journal.seize(record):
            await asyncio.sleep(self._patience.shortest)
        if record.batch is not None:
            return record
        if record.file is None:
            raise _NotMade(Transient("the batch was not made"))
        looks = 0
        for wait in self._patience.waits():
            await asyncio.sleep(wait)
            try:
                found = await self._service.find(record, self._known | record.strange)
            except (RateLimited, Transient):
                if time.time() > record.made + self._patience.whole:
                    raise
                continue
            except GenerationError as error:
                raise Fatal(
                    f"a batch of {len(record.keys)} prompts may have been made, and the provider's list of batches "
                    f"cannot be read: {error} (once you remove {record.path}, its prompts are sent again)"
                ) from error
            if found is not None:
                return await self._made(record, found, found=not record.file)  # a file has one batch
            looks += 1
            if looks == _LOOKS:
                raise _NotMade(Transient("the batch was not made"))
        raise AssertionError("waits without end")

    async def _made(self, record: BatchRecord, identifier: str, *, found: bool = False) -> BatchRecord:
        await asyncio.to_thread(self._journal.created, record, identifier, found=found)
        self._known.add(identifier)
        return record

    async def _forget(self, batch: Batch, error: GenerationError) -> None:
        assert batch.record is not None
        await asyncio.to_thread(self._journal.discard, batch.record)
        if isinstance(error, RateLimited):
            batch.too_much = True
            error.retry_after = _FULL_SECONDS if error.retry_after is None else error.retry_after
        if isinstance(error, Refused):  # it is about the batch; the next one would meet the same
            error = Fatal(f"the provider refused the batch: {error}")
        for key in batch.open_keys:
            batch.failed(key, error)


class _NotMade(Exception):
    """There is no such batch, and nothing was paid."""

    def __init__(self, error: GenerationError) -> None:
        super().__init__(str(error))
        self.error = error
