"""Prompts are collected into batches; those of an earlier process's batches wait for these."""

import asyncio
import functools

from genre.parts import Completion, Prompt, Refused
from genre_generators.batch import Batch
from genre_generators.batch_follower import Follower
from genre_generators.batch_index import BatchIndex
from genre_generators.batch_journal import Journal
from genre_generators.batch_sender import Sender
from genre_generators.batch_service import BatchService


class Batches:
    """All batches of one generator.

    Args:
        service: whose batches they are.
        journal: where they are written down.
        sender: makes them.
        follower: brings them to their end.
        size: prompts in a batch, at most.
        collect_seconds: a batch is sent when no further prompt came for so long.
    """

    def __init__(
        self,
        service: BatchService,
        journal: Journal,
        sender: Sender,
        follower: Follower,
        *,
        size: int,
        collect_seconds: float,
    ) -> None:
        self._service = service
        self._journal = journal
        self._sender = sender
        self._follower = follower
        self._size = size
        self._collect_seconds = collect_seconds
        self._batches: list[Batch] = []
        self._index = BatchIndex()
        self._collected: Batch | None = None
        self._latest = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._loading = asyncio.Lock()
        self._loaded = False

    async def answer(self, key: str, prompt: Prompt) -> Completion:
        """The answer to a prompt, from the batch that has it or from the next one.

        Args:
            key: of the prompt and the attempt, see `attempt_key`.

        Raises:
            GenerationError: there is none.
            RunError: the journal cannot be used.
        """
        async with self._loading:
            if not self._loaded:
                await self._load()
        known = self._index.find(key)
        if known is None:
            batch = self._collect(key, self._service.request(key, prompt))
        else:
            key, batch = known
            if batch is not self._collected and not batch.has_answer(key):
                self._follow(batch)
        try:
            return await batch.answer(key)
        finally:
            self._index.leave(key, batch)

    def forget_taken(self) -> None:
        """Write down which answers are not needed again."""
        for batch in self._batches:
            if batch.record is not None and batch.taken:
                self._journal.ended(batch.record, batch.taken)
                batch.taken.clear()
        # What a batch was made of is kept no longer than somebody may ask for it.
        self._batches = [batch for batch in self._batches if batch.record is None or not batch.record.over]

    async def aclose(self) -> None:
        """Stop looking after the batches, which go on; the journal knows them."""
        if self._timer is not None:
            self._timer.cancel()
        self._collected = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._service.aclose()

    async def _load(self) -> None:
        records = await asyncio.to_thread(self._journal.records)
        self._sender.know([record.batch for record in records if record.batch is not None])
        for record in records:
            batch = Batch(record)
            self._batches.append(batch)
            self._index.load(batch)
        self._loaded = True

    def _collect(self, key: str, request: bytes) -> Batch:
        most = self._service.most_bytes
        if len(request) > most:
            raise Refused(f"the prompt is larger than a batch may be, {most} bytes")
        if self._collected is not None and self._collected.size + len(request) > most:
            self._send()
        if self._collected is None:
            self._collected = Batch()
            self._batches.append(self._collected)
            self._send_after(self._collect_seconds)
        batch = self._collected
        batch.add(key, request)
        self._index.put(key, batch)
        self._latest = asyncio.get_running_loop().time()
        if len(batch.requests) >= self._size:
            self._send()
        return batch

    def _send_after(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._send_if_quiet)

    def _send_if_quiet(self) -> None:
        left = self._latest + self._collect_seconds - asyncio.get_running_loop().time()
        if left > 0:
            self._send_after(left)
        else:
            self._send()

    def _send(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        batch, self._collected = self._collected, None
        if batch is not None and batch.requests:
            self._follow(batch)

    def _follow(self, batch: Batch) -> None:
        if batch.follower is None:
            batch.follower = asyncio.create_task(self._follower.follow(batch))
            self._tasks.add(batch.follower)
            batch.follower.add_done_callback(functools.partial(self._followed, batch))

    def _followed(self, batch: Batch, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if batch.too_much and batch.record is not None and not self._tasks:
            # With nothing else under way it would be too much for ever.
            self._size = max(1, len(batch.record.keys) // 2)
