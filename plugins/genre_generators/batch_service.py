"""What a provider's batch API does, whatever its protocol."""

import re
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from typing import Final, Protocol, TypeAlias

import attrs

from genre.parts import Completion, GenerationError, Json, Prompt, Transient, canonical_json
from genre_generators.batch_record import BatchRecord

Outcome: TypeAlias = Completion | GenerationError
"""What became of one prompt of a batch."""
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,199}")


@attrs.frozen
class Status:
    """How far a batch is.

    Attributes:
        batch: the provider's id of it.
        state: the provider's word for it.
        ended: nothing will change any more.
        cancelled: somebody cancelled it.
        failure: why it ended without any results, when it did.
        done, total: requests that are over, and all of them; None where the provider does not say.
        reply: all that the provider says about it.
    """

    batch: str
    state: str
    ended: bool
    cancelled: bool = False
    failure: GenerationError | None = None
    done: int | None = None
    total: int | None = None
    reply: Mapping[str, Json] = attrs.field(factory=dict)


@attrs.frozen
class Draft:
    """What a batch is made of.

    Attributes:
        label: our own name of it.
        requests: what `request` made of each prompt.
        file: the provider's id of them; empty until they are uploaded.
    """

    label: str
    requests: Sequence[bytes]
    file: str = ""


class BatchService(Protocol):
    """A provider's batch API. All that is awaited raises subclasses of GenerationError only.

    Attributes:
        name: protocol and address: whose batches these are.
        most_bytes: the largest batch that it takes.
    """

    name: str
    most_bytes: int

    def request(self, key: str, prompt: Prompt) -> bytes:
        """One prompt as the batch holds it; `key` comes back with its answer."""

    async def upload(self, draft: Draft) -> str:
        """Make what a batch needs that costs nothing yet: the id of its file, or an empty text."""

    async def create(self, draft: Draft) -> Status:
        """Make the batch; from here on it costs money."""

    async def find(self, record: BatchRecord, known: Collection[str]) -> str | None:
        """The id of a batch whose creation was not seen to succeed, none of those that are `known` to be others; None
        when it was not made.
        """

    async def status(self, batch: str) -> Status:
        """How far it is."""

    def results(self, status: Status) -> AsyncGenerator[tuple[str, Outcome], None]:
        """Keys and what became of them, in any order, of a batch that has ended; lines without sense are left out."""

    async def cancel(self, batch: str) -> None:
        """Ask the provider to stop."""

    async def aclose(self) -> None:
        """Close the connections."""


def checked_id(reply: Mapping[str, Json], field: str = "id") -> str:
    """An id that a server gave; it becomes part of addresses.

    Raises:
        Transient: there is none, or it has characters that no id has.
    """
    value = reply.get(field)
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise Transient(f"the server's reply has no usable {field}", may_be_billed=True)
    return value


def count(reply: Json, *names: str) -> int | None:
    """The sum of some counts; None when there is none."""
    found = [reply.get(name) for name in names] if isinstance(reply, dict) else []
    numbers = [number for number in found if isinstance(number, int)]
    return sum(numbers) if numbers else None


def json_line(value: Mapping[str, Json]) -> bytes:
    """A request as one line; a lone surrogate is written as JSON's escape."""
    return canonical_json(value).encode("utf-8", "backslashreplace") + b"\n"
