"""A client for one chat-completions server: requests from prompts, completions from replies, typed errors only."""

import json
from collections.abc import Mapping
from typing import Final

from genre.parts import Completion, Json, Prompt
from genre_generators.chat_http import Posts
from genre_generators.chat_replies import read_body
from genre_generators.chat_requests import Structured, request_fields, response_format
from genre_generators.http_failures import Failures

_ENCODER: Final = json.JSONEncoder(separators=(",", ":"))


class ChatClient:
    """Asks a server that speaks `/v1/chat/completions`.

    Args:
        posts: how requests reach the server.
        failures: of this server.
        model: the model to ask for.
        structured: how the server is asked for JSON.
        parameters: further request fields.
    """

    def __init__(
        self,
        posts: Posts,
        failures: Failures,
        model: str,
        *,
        structured: Structured = "json_schema",
        parameters: Mapping[str, Json] | None = None,
    ) -> None:
        self._posts = posts
        self._failures = failures
        self._model = model
        self._structured = structured
        self._schema: Mapping[str, Json] | None = None
        self._format: str | None = None  # how a request asks for it, as JSON
        self._parameters = dict(parameters or {})

    async def complete(self, prompt: Prompt) -> Completion:
        """Answer one prompt.

        Raises:
            GenerationError: one of its subclasses.
            UsageError: before any call: a worker process cannot begin.
        """
        reply = await self._posts.post(self._request(prompt))
        if reply.status == 200:
            return read_body(reply.body, self._model, self._failures.key)
        raise self._failures.of_reply(reply.status, reply.body, reply.retry_after)

    async def aclose(self) -> None:
        """Close the connections; a later call opens new ones."""
        await self._posts.aclose()

    def _request(self, prompt: Prompt) -> str:
        if prompt.schema is not self._schema:
            # One object for all prompts of a round, so this is written once.
            answer = response_format(prompt.schema, self._structured)
            self._schema, self._format = prompt.schema, None if answer is None else _ENCODER.encode(answer)
        text = _ENCODER.encode({**self._parameters, "model": self._model, **request_fields(prompt, "none")})
        return text if self._format is None else f'{text[:-1]},"response_format":{self._format}}}'
