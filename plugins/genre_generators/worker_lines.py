"""How a worker process and its parent send each other messages: several in a line of JSON."""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias, cast

from genre_generators import quick_json

Said: TypeAlias = list[object]
"""A message of one of the two."""

MOST_TOGETHER: Final = 32
"""Messages of one line: after a burst the other process has something to do while this one goes on."""


class Lines:
    """Cuts what arrives into lines."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []

    def feed(self, data: bytes) -> list[Said]:
        """The messages that this piece completes."""
        head, newline, tail = data.rpartition(b"\n")
        if not newline:
            self._rest.append(data)
            return []
        whole = b"".join([*self._rest, head])
        self._rest = [tail]
        return [message for line in whole.split(b"\n") for message in cast(list[Said], quick_json.loads(line))]


class Outbox:
    """Sends what is said in one turn of the event loop with few writes.

    Args:
        call_soon: of the event loop.
        write: of the transport.
    """

    def __init__(self, call_soon: Callable[[Callable[[], None]], object], write: Callable[[bytes], object]) -> None:
        self._call_soon = call_soon
        self._write = write
        self._messages: list[Said] = []

    def put(self, message: Said) -> None:
        """Say this."""
        if not self._messages:
            self._call_soon(self._flush)
        self._messages.append(message)
        if len(self._messages) >= MOST_TOGETHER:
            self._flush()

    def _flush(self) -> None:
        messages, self._messages = self._messages, []
        if messages:
            self._write(encoded(messages))


def encoded(messages: Sequence[Said]) -> bytes:
    """A line as it is sent."""
    return quick_json.dumps(messages) + b"\n"
