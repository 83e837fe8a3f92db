"""Anthropic's batch API: the requests are sent as they are, and the results come as lines."""

import io
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from genre.parts import GenerationError, Json, Prompt, Transient
from genre_generators.anthropic_messages import message_fields, read_error, read_message
from genre_generators.batch_http import BatchHttp
from genre_generators.batch_record import BatchRecord
from genre_generators.batch_service import Draft, Outcome, Status, checked_id, count, json_line
from genre_generators.chat_errors import plain

_COUNTS: Final = ("succeeded", "errored", "canceled", "expired")
_APART: Final = 86_400.0
"""Seconds between our clock when we sent a batch and the provider's when it was made, at most: clocks may be wrong, and
results tell anyway whose it is.
"""


class AnthropicBatches:
    """Batches of Messages.

    Args:
        http: where they are made.
        name: whose batches these are.
        model: the model to ask for.
        with_schema: the answer's schema is sent.
        omit: request fields that the model does not take.
        parameters: further request fields.
    """

    most_bytes = 240_000_000  # the provider takes 256 MB

    def __init__(
        self,
        http: BatchHttp,
        *,
        name: str,
        model: str,
        with_schema: bool,
        omit: Sequence[str],
        parameters: Mapping[str, Json],
    ) -> None:
        self.name = name
        self._http = http
        self._model = model
        self._with_schema = with_schema
        self._omit = frozenset(omit)
        self._parameters = dict(parameters)

    def request(self, key: str, prompt: Prompt) -> bytes:
        """One element of the list of requests."""
        fields = message_fields(prompt, with_schema=self._with_schema, omit=tuple(self._omit))
        return json_line({"custom_id": key, "params": {**self._parameters, "model": self._model, **fields}})

    async def upload(self, draft: Draft) -> str:  # noqa: ARG002  the protocol's
        """There is no file: the requests are sent when the batch is made."""
        return ""

    async def create(self, draft: Draft) -> Status:
        """Make the batch."""
        body = io.BytesIO(b'{"requests":[' + b",".join(draft.requests) + b"]}")
        return _status(await self._http.call("POST", "/messages/batches", data=body, content_type="application/json"))

    async def find(self, record: BatchRecord, known: Collection[str]) -> str | None:
        """The batch of as many requests that was made nearest to when ours was sent. Batches carry no name of ours:
        whether it is ours shows in its results, which name the prompts.
        """
        nearest: tuple[float, str] | None = None
        async for each in self._http.listed("/messages/batches", "after_id"):
            apart = _seconds_apart(each, record)
            if apart is not None and each.get("id") not in known and (nearest is None or apart < nearest[0]):
                nearest = apart, checked_id(each)
        return None if nearest is None else nearest[1]

    async def status(self, batch: str) -> Status:
        """How far it is."""
        return _status(await self._http.call("GET", f"/messages/batches/{batch}"))

    async def results(self, status: Status) -> AsyncGenerator[tuple[str, Outcome], None]:
        """The lines of the results. Their address is made here: the key goes to no address that a server names."""
        async for reply in self._http.lines(f"/messages/batches/{status.batch}/results"):
            key, result = reply.get("custom_id"), reply.get("result")
            if isinstance(key, str) and isinstance(result, dict):
                yield key, self._outcome(result)

    async def cancel(self, batch: str) -> None:
        """Ask the provider to stop."""
        await self._http.call("POST", f"/messages/batches/{batch}/cancel")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _outcome(self, result: Mapping[str, Json]) -> Outcome:
        kind, message, error = result.get("type"), result.get("message"), result.get("error")
        if kind == "errored" and isinstance(error, dict):
            return read_error(error)
        if kind != "succeeded" or not isinstance(message, dict):  # expired or canceled: not answered, not billed
            return Transient(f"not answered: {plain(kind) if isinstance(kind, str) else 'no reason was given'}")
        try:
            return read_message(message, self._model)
        except GenerationError as error_in_message:
            return error_in_message


def _status(reply: Mapping[str, Json]) -> Status:
    state = reply.get("processing_status")
    counts = reply.get("request_counts")
    return Status(
        batch=checked_id(reply),
        state=plain(state) if isinstance(state, str) else "unknown",
        ended=state == "ended",
        cancelled=reply.get("cancel_initiated_at") is not None,
        done=count(counts, *_COUNTS),
        total=count(counts, "processing", *_COUNTS),
        reply=reply,
    )


def _seconds_apart(batch: Mapping[str, Json], record: BatchRecord) -> float | None:
    """Seconds between what was sent and this batch; None when it cannot be ours."""
    if count(batch.get("request_counts"), "processing", *_COUNTS) != len(record.keys):
        return None
    try:
        made = datetime.fromisoformat(str(batch.get("created_at"))).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    apart = abs(made - record.made)
    return apart if apart <= _APART else None
