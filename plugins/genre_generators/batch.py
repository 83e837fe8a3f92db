"""One batch: the prompts in it, who waits for them, and answers that nobody has asked for yet."""

import asyncio

from genre.parts import Completion
from genre_generators.batch_record import BatchRecord


class Batch:
    """Prompts by the keys of their answers.

    Attributes:
        record: its place in the journal; None until it is sent.
        requests: what will be sent, until it is.
        size: bytes of the requests.
        follower: the task that sends it, waits for it and hands its answers out.
        too_much: the provider does not take as much now.
        named: its results have named one of its prompts.
        taken: prompts whose answers were taken by those who asked.
        cancelled_here: we have asked the provider to stop, because it took too long.
    """

    def __init__(self, record: BatchRecord | None = None) -> None:
        self.record = record
        self.requests: dict[str, bytes] = {}
        self.size = 0
        self.follower: asyncio.Task[None] | None = None
        self.cancelled_here = False
        self.too_much = False
        self.named = False
        self.taken: set[str] = set()
        self._open = set() if record is None else set(record.keys) - record.unanswered
        self._answers: dict[str, Completion] = {}
        self._waiting: dict[str, list[asyncio.Future[Completion]]] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._open

    @property
    def most_lines(self) -> int:
        """How many lines of results may make sense."""
        return 2 * (len(self.record.keys) if self.record else 0) + 1_000

    def has_answer(self, key: str) -> bool:
        """Whether the answer has come, and nobody has asked for it yet."""
        return key in self._answers

    @property
    def open_keys(self) -> set[str]:
        """The prompts whose answers have not come."""
        return self._open - set(self._answers)

    def add(self, key: str, request: bytes) -> None:
        """Put a prompt into a batch that is not sent yet."""
        self._open.add(key)
        self.requests[key] = request
        self.size += len(request)

    async def answer(self, key: str) -> Completion:
        """The answer to a prompt of this batch, when it comes.

        Raises:
            GenerationError: there is none.
        """
        if key in self._answers:
            self._open.discard(key)
            self.taken.add(key)
            return self._answers.pop(key)
        future: asyncio.Future[Completion] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(future)
        try:
            completion = await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self._keep(key, future.result())  # it came, and was not taken
            raise
        finally:
            self._leave(key, future)
        self.taken.add(key)
        return completion

    def answered(self, key: str, completion: Completion) -> None:
        """An answer came; it is kept when nobody waits for it."""
        waiting = self._take_waiting(key)
        for future in waiting:
            future.set_result(completion)
        if waiting:
            self._open.discard(key)
        else:
            self._keep(key, completion)

    def failed(self, key: str, error: Exception) -> None:
        """There will be no answer from this batch; a prompt that is asked again goes into another one."""
        self._open.discard(key)
        self._raise(key, error)

    def interrupted(self, error: Exception) -> None:
        """Nobody waits for this batch any more, which may still have answers."""
        for key in list(self._waiting):
            self._raise(key, error)

    def _keep(self, key: str, completion: Completion) -> None:
        self._open.add(key)
        self._answers[key] = completion

    def _raise(self, key: str, error: Exception) -> None:
        for future in self._take_waiting(key):
            future.set_exception(error)

    def _take_waiting(self, key: str) -> list[asyncio.Future[Completion]]:
        return [future for future in self._waiting.pop(key, ()) if not future.done()]

    def _leave(self, key: str, future: "asyncio.Future[Completion]") -> None:
        """A prompt that is given up before it is sent is not sent."""
        waiting = self._waiting.get(key, [])
        if future in waiting:
            waiting.remove(future)
        if not waiting:
            self._waiting.pop(key, None)
            if key in self.requests and self.follower is None:
                self.size -= len(self.requests.pop(key))
                self._open.discard(key)
