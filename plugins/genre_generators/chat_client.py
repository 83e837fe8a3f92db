"""A client for one chat-completions server: requests from prompts, completions from replies, typed errors only."""

import json
from collections.abc import Mapping

from genre.parts import Completion, Json, Prompt, Sampling
from genre_generators import quick_json
from genre_generators.chat_http import Posts
from genre_generators.chat_replies import read_body
from genre_generators.chat_requests import Structured, chat_messages, shared_fields
from genre_generators.http_failures import Failures


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
        self._parameters = dict(parameters or {})
        self._asked: tuple[Sampling, Mapping[str, Json] | None, bytes] | None = None

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

    def send_no_more(self) -> None:
        """Send nothing of what waits to be sent."""
        self._posts.send_no_more()

    async def aclose(self) -> None:
        """Close the connections; a later call opens new ones."""
        await self._posts.aclose()

    def _request(self, prompt: Prompt) -> bytes:
        messages = quick_json.dumps(chat_messages(prompt))
        return b'%b,"seed":%d,"messages":%b}' % (self._beginning(prompt.sampling, prompt.schema), prompt.seed, messages)

    def _beginning(self, sampling: Sampling, schema: Mapping[str, Json] | None) -> bytes:
        """What all requests of a round begin with, which is written once for them."""
        asked = self._asked
        if asked is None or asked[0] is not sampling or asked[1] is not schema:
            fields = {**self._parameters, "model": self._model, **shared_fields(sampling, schema, self._structured)}
            text = json.dumps(fields, separators=(",", ":"))
            asked = self._asked = sampling, schema, text[:-1].encode("ascii")
        return asked[2]
