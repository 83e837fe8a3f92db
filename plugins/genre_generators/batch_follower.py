"""What happens to a batch: it is sent, waited for, and its answers are handed out."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from genre.parts import Fatal, GenerationError, RateLimited, Transient
from genre_generators.batch import Batch
from genre_generators.batch_journal import Journal
from genre_generators.batch_patience import Patience
from genre_generators.batch_record import BatchRecord
from genre_generators.batch_results import fetch_results
from genre_generators.batch_sender import Sender
from genre_generators.batch_service import BatchService, Status

_GRACE: Final = 900.0
"""Seconds that a batch which we have cancelled may take to end."""


class Follower:
    """Follows batches of one service.

    Args:
        service: whose batches they are.
        journal: where they are written down.
        sender: makes them.
        patience: how long they are waited for.
        tell: is told what happens, a line at a time.
    """

    def __init__(
        self,
        service: BatchService,
        journal: Journal,
        sender: Sender,
        patience: Patience,
        tell: Callable[[str], None],
    ) -> None:
        self._service = service
        self._journal = journal
        self._sender = sender
        self._patience = patience
        self._tell = tell

    async def follow(self, batch: Batch) -> None:
        """Bring a batch to its end. Whatever goes wrong is told to those who wait for it."""
        try:
            while (record := await self._sender.sent(batch)) is not None:
                if await self._hand_out(batch, record, await self._ended(batch, record)):
                    break
        except Exception as error:  # noqa: BLE001  who waits has to be told; the engine knows what is an error
            batch.interrupted(error)
        finally:
            batch.follower = None

    async def _ended(self, batch: Batch, record: BatchRecord) -> Status:
        """How it ended, once it has."""
        assert record.batch is not None
        deadline = record.made + self._patience.whole
        patient_until = max(deadline, time.time() + _GRACE)
        seen = ""
        for wait in self._patience.waits():
            pause = wait
            try:
                status = await self._service.status(record.batch)
            except (RateLimited, Transient) as failure:
                asked_for = getattr(failure, "retry_after", None) or 0.0
                pause = max(wait, min(asked_for, self._patience.longest))  # a server may say years
                said = f"cannot be looked at now: {failure}"
                if time.time() > patient_until:  # it may have ended long ago, and is not given up unseen
                    raise Fatal(f"the batch {record.batch} {said}; run again later, it is not lost") from failure
            except GenerationError as failure:
                raise Fatal(
                    f"the batch {record.batch} of {len(record.keys)} prompts cannot be looked at: {failure} (if it is "
                    f"gone, or was made with another key, remove {record.path}, and its prompts are sent again)"
                ) from failure
            else:
                said = status.state
                if status.ended:
                    self._tell(f"batch {record.batch}: {said}")
                    return status
                if time.time() > deadline:
                    await self._give_up(batch, record)
                    deadline = time.time() + _GRACE
            if said != seen:
                self._tell(f"batch {record.batch}: {said}")
                seen = said
            await asyncio.sleep(pause)
        raise AssertionError("waits without end")

    async def _give_up(self, batch: Batch, record: BatchRecord) -> None:
        """It takes too long: the provider is asked to stop, and when that does not help, it is left alone."""
        assert record.batch is not None
        if batch.cancelled_here:
            error = Transient(f"the batch {record.batch} did not end in time", may_be_billed=True)
            self._finish(batch, record, dict.fromkeys(batch.open_keys, error))
            raise error
        batch.cancelled_here = True
        with suppress(GenerationError):
            await self._service.cancel(record.batch)

    async def _hand_out(self, batch: Batch, record: BatchRecord, status: Status) -> bool:
        """Whether this was our batch."""
        if status.failure is not None:
            errors = dict.fromkeys(batch.open_keys, status.failure)
            batch.too_much = isinstance(status.failure, RateLimited)
        else:
            errors = await fetch_results(self._service, status, batch, self._patience)
            if record.found and record.batch is not None and not (errors or batch.named):
                self._journal.strange(record, record.batch)
                return False
        missing = Transient(f"the batch {record.batch} ended without an answer to this prompt", may_be_billed=True)
        for key in batch.open_keys - errors.keys():
            errors[key] = missing
        if status.cancelled and not batch.cancelled_here:
            stopped = Fatal(f"the batch {record.batch} was cancelled; run again to send its prompts in another one")
            errors = {key: stopped if isinstance(error, Transient) else error for key, error in errors.items()}
        self._finish(batch, record, errors)
        return True

    def _finish(self, batch: Batch, record: BatchRecord, errors: dict[str, GenerationError]) -> None:
        """Prompts without an answer are written down before anybody can send them again."""
        self._journal.ended(record, errors)
        for key, error in errors.items():
            batch.failed(key, error)
