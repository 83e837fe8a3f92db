"""OpenAI's batch API: a file of requests, a batch of it, a file of answers and one of errors."""

import io
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from typing import Final, Literal

import aiohttp
import attrs

from genre.parts import Json, Prompt
from genre_generators.batch_http import BatchHttp
from genre_generators.batch_record import BatchRecord
from genre_generators.batch_service import Draft, Outcome, Status, checked_id, json_line
from genre_generators.chat_requests import Structured, request_fields
from genre_generators.openai_batch_replies import read_outcome, read_status
from genre_generators.strict_schemas import strict_subset

ENDPOINT: Final = "/v1/chat/completions"


class OpenAIBatches:
    """Batches at a server that speaks OpenAI's protocol.

    Args:
        http: where it is.
        name: whose batches these are.
        model: the model to ask for.
        structured: how it is asked for JSON.
        token_field: how it calls the largest number of tokens.
        omit: request fields that the model does not take.
        parameters: further request fields.
    """

    most_bytes = 190_000_000  # the provider takes 200 MB

    def __init__(
        self,
        http: BatchHttp,
        *,
        name: str,
        model: str,
        structured: Structured,
        token_field: Literal["max_tokens", "max_completion_tokens"],
        omit: Sequence[str],
        parameters: Mapping[str, Json],
    ) -> None:
        self.name = name
        self._http = http
        self._model = model
        self._structured = structured
        self._token_field = token_field
        self._omit = frozenset(omit)
        self._parameters = dict(parameters)

    def request(self, key: str, prompt: Prompt) -> bytes:
        """One line of the input file."""
        schema = None if prompt.schema is None else strict_subset(prompt.schema)
        fields = request_fields(attrs.evolve(prompt, schema=schema), self._structured)
        fields[self._token_field] = fields.pop("max_tokens")
        kept = {name: value for name, value in fields.items() if name not in self._omit}
        body: dict[str, Json] = {**self._parameters, "model": self._model, **kept}
        return json_line({"custom_id": key, "method": "POST", "url": ENDPOINT, "body": body})

    async def upload(self, draft: Draft) -> str:
        """Upload the input file."""
        form = aiohttp.FormData()
        form.add_field("purpose", "batch")
        file = io.BytesIO(b"".join(draft.requests))
        form.add_field("file", file, filename=f"{draft.label}.jsonl", content_type="application/jsonl")
        return checked_id(await self._http.call("POST", "/files", data=form))

    async def create(self, draft: Draft) -> Status:
        """Make the batch of an uploaded file."""
        fields: dict[str, Json] = {
            "input_file_id": draft.file,
            "endpoint": ENDPOINT,
            "completion_window": "24h",
            "metadata": {"genre": draft.label},
        }
        return read_status(await self._http.call("POST", "/batches", json=fields))

    async def find(self, record: BatchRecord, known: Collection[str]) -> str | None:
        """The batch of our file, in the provider's list. Whoever does not see the file sees no batch of it either."""
        async for each in self._http.listed("/batches", "after"):
            if each.get("input_file_id") == record.file and each.get("id") not in known:
                return checked_id(each)
        await self._http.call("GET", f"/files/{record.file}")
        return None

    async def status(self, batch: str) -> Status:
        """How far it is."""
        return read_status(await self._http.call("GET", f"/batches/{batch}"))

    async def results(self, status: Status) -> AsyncGenerator[tuple[str, Outcome], None]:
        """The lines of the output file, then those of the error file."""
        for field in ("output_file_id", "error_file_id"):
            if not status.reply.get(field):
                continue
            async for reply in self._http.lines(f"/files/{checked_id(status.reply, field)}/content"):
                key = reply.get("custom_id")
                if isinstance(key, str):
                    yield key, read_outcome(reply, self._model)

    async def cancel(self, batch: str) -> None:
        """Ask the provider to stop."""
        await self._http.call("POST", f"/batches/{batch}/cancel")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()
