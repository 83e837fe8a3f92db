"""One worker process, as its parent sees it."""

import asyncio
import itertools
import sys
from contextlib import suppress
from typing import Any, Final, cast

from genre.errors import UsageError
from genre.parts import Json, Transient
from genre_generators.deadline import Watch, time_out
from genre_generators.worker_lines import Lines, Outbox, Said
from genre_generators.worker_messages import Configuration, read_beginning, read_failure

CLOSE_SECONDS: Final = 0.3
"""How long a process has to end by itself; Ctrl-C has to end within two seconds, and answers under way take 1.5."""
KEPT_BYTES: Final = 4096
"""Latest bytes of what a process said on its standard error that are kept, for the message when it died."""


class WorkerProcess(asyncio.SubprocessProtocol):
    """A process, and the calls that it has under way.

    Args:
        longest_call: seconds after which a process that is silent about a call is taken to hang, and ended.

    Attributes:
        pid: its number.
        answered: whether any outcome of a call has come.
        refused: why it can make no call at all, if it cannot.
        outbox: what it is told.
    """

    def __init__(self, longest_call: float) -> None:
        self._loop = loop = asyncio.get_running_loop()
        self._watch: Watch[asyncio.Future[Said]] = Watch(longest_call, time_out)
        self.pid = 0
        self.answered = False
        self.refused: UsageError | None = None
        self._ready: asyncio.Future[None] = loop.create_future()
        self._ended: asyncio.Future[None] = loop.create_future()
        self._calls: dict[int, asyncio.Future[Said]] = {}
        self._shared: Json = None
        self._numbers = itertools.count()
        self._lines, self._said = Lines(), b""

    @classmethod
    async def start(cls, configuration: Configuration, *, longest_start: float, longest_call: float) -> "WorkerProcess":
        """A process that is loading its libraries; questions wait for it.

        Args:
            configuration: what it is told first.
            longest_start, longest_call: seconds after which it is taken to hang.
        """
        _, process = await asyncio.get_running_loop().subprocess_exec(
            lambda: cls(longest_call),
            *(sys.executable, "-P", "-m", "genre_generators.worker"),  # -P: imports nothing from where it runs
            env=configuration.environment,
            start_new_session=True,  # Ctrl-C is for this process; the worker ends when its input does
        )
        process._input.write(configuration.line())
        watch = process._loop.call_later(longest_start, process._transport.kill)
        process._ready.add_done_callback(lambda _: watch.cancel())
        return process

    @property
    def ended(self) -> bool:
        """Whether there is no such process any more."""
        return self._ended.done()

    @property
    def last_words(self) -> str:
        """The end of what it said on its standard error."""
        return self._said.decode(errors="replace")

    async def ask(self, question: Said, shared: Json = None) -> Said:
        """Let it answer a question; `shared`, which belongs to many, is told once while it is the same object.

        Raises:
            GenerationError: what the call ended with, or `Transient` when the process did or is silent.
            UsageError: it can make no call at all.
        """
        if not self._ready.done():
            await asyncio.shield(self._ready)
        if self.refused is not None:
            raise self.refused
        if self.ended:
            raise Transient("a worker process ended before it was asked")
        number = next(self._numbers)
        call = self._calls[number] = self._loop.create_future()
        self._watch.begin(call)
        if shared is not self._shared:
            self._shared = shared
            self.outbox.put([None, shared])
        self.outbox.put([number, question])
        try:
            said = await call
        except TimeoutError:
            with suppress(ProcessLookupError):  # it may have ended by itself this very moment
                self._transport.kill()
            raise Transient("a worker process did not answer in time", may_be_billed=True) from None
        except asyncio.CancelledError:
            self.outbox.put([number])
            raise
        finally:
            self._watch.end(call)
            del self._calls[number]
        if said[1] is None:
            raise read_failure(said[2])
        return cast(Said, said[1])

    async def aclose(self) -> None:
        """End it."""
        self._input.close()
        await asyncio.wait([self._ended], timeout=CLOSE_SECONDS)
        if not self.ended:
            # Killed, and not listened to any more: what it has started itself may hold its pipes open.
            self._transport.close()
            await asyncio.shield(self._ended)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It runs."""
        self._transport = cast(asyncio.SubprocessTransport, transport)
        self.pid = self._transport.get_pid()
        self._input = cast(asyncio.WriteTransport, self._transport.get_pipe_transport(0))
        self.outbox = Outbox(self._loop.call_soon, self._input.write)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """It says something."""
        if fd == 2:
            self._said = (self._said + data)[-KEPT_BYTES:]
            return
        for said in cast(list[list[Any]], self._lines.feed(data)):
            if said[0] is None:
                self.refused = read_beginning(said)
                self._ready.set_result(None)
            else:
                self.answered = True
                if (call := self._calls.get(said[0])) is not None and not call.done():
                    call.set_result(said)

    def connection_lost(self, _: Exception | None) -> None:
        """It is no more, and all that it said has been read."""
        self._transport.close()
        self._ended.set_result(None)
        if not self._ready.done():
            self._ready.set_result(None)
        for call in self._calls.values():
            if not call.done():
                call.set_exception(Transient("a worker process died during the call", may_be_billed=True))
