"""An HTTP client for one chat-completions server: one session, one call for each prompt, typed errors only."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Self

import aiohttp

from genre.parts import Completion, Json, Prompt
from genre_generators.chat_replies import read_body
from genre_generators.chat_requests import Structured, request_fields, response_format
from genre_generators.deadline import Deadline
from genre_generators.http_failures import Failures, is_loopback, read_reply_bytes

if TYPE_CHECKING:
    from genre_generators.openai_compatible import OpenAICompatibleOptions

MAX_REPLY_BYTES: Final = 4 << 20
"""A longer reply is not read to its end: no task asks for megabytes."""
_HEADERS: Final = {"Content-Type": "application/json"}
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"))


class ChatClient:
    """Asks a server that speaks `/v1/chat/completions`.

    Args:
        base_url: address up to and including `/v1`.
        model: the model to ask for.
        key: the API key, or None; it is sent to `base_url` only and appears in no error.
        key_name: where the key comes from (its environment variable), for messages.
        timeout: seconds for one call, connection included.
        structured: how the server is asked for JSON.
        parameters: further request fields.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        key: str | None = None,
        key_name: str | None = None,
        timeout: float = 60.0,
        structured: Structured = "json_schema",
        parameters: Mapping[str, Json] | None = None,
    ) -> None:
        self._url = base_url.rstrip("/") + "/chat/completions"
        self._model = model
        self._key = key
        self._failures = Failures(key, key_name, timeout)
        self._structured = structured
        self._schema: Mapping[str, Json] | None = None
        self._format: str | None = None  # how a request asks for it, as JSON
        self._parameters = dict(parameters or {})
        self._connections: tuple[aiohttp.ClientSession, Deadline] | None = None

    @classmethod
    def of(cls, options: "OpenAICompatibleOptions", key: str | None) -> Self:
        """A client as the generator's options say.

        Args:
            key: the value of the option `api_key`, None without it.
        """
        return cls(
            options.base_url,
            options.model,
            key=key,
            key_name=options.api_key.env if options.api_key else None,
            timeout=options.timeout,
            structured=options.structured,
            parameters=options.request_parameters,
        )

    async def complete(self, prompt: Prompt) -> Completion:
        """Answer one prompt.

        Raises:
            GenerationError: one of its subclasses, never anything else.
        """
        body = self._body(prompt)
        session, deadline = self._open()
        try:
            with deadline.call():
                # A redirect is not followed: the key and the reader's data go to the configured server only.
                async with session.post(self._url, data=body, allow_redirects=False) as response:
                    reply = self._failures.without_key(await read_reply_bytes(response, MAX_REPLY_BYTES))
            if response.status == 200:
                return read_body(reply, self._model)
            raise self._failures.of_reply(response.status, response.headers, reply)
        except (aiohttp.ClientError, OSError) as failure:
            raise self._failures.of_connection(failure) from failure

    def _body(self, prompt: Prompt) -> bytes:
        """The request."""
        if prompt.schema is not self._schema:
            # One object for all prompts of a round, so this is written once.
            answer = response_format(prompt.schema, self._structured)
            self._schema, self._format = prompt.schema, None if answer is None else _ENCODER.encode(answer)
        text = _ENCODER.encode({**self._parameters, "model": self._model, **request_fields(prompt, "none")})
        if self._format is not None:
            text = f'{text[:-1]},"response_format":{self._format}}}'
        return text.encode()

    async def aclose(self) -> None:
        """Close the connections; a later call opens new ones."""
        connections, self._connections = self._connections, None
        if connections is not None:
            await connections[0].close()

    def _open(self) -> tuple[aiohttp.ClientSession, Deadline]:
        """The session and its calls' time limit; made here because they belong to the running event loop."""
        if self._connections is None:
            session = aiohttp.ClientSession(
                # The engine bounds the calls in flight.
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(total=None),  # the deadline is cheaper
                cookie_jar=aiohttp.DummyCookieJar(),  # a chat has no session to remember
                headers=_HEADERS if self._key is None else {**_HEADERS, "Authorization": f"Bearer {self._key}"},
                # Proxies from the environment, but never for a server on this machine.
                trust_env=not is_loopback(self._url),
            )
            self._connections = session, Deadline(self._failures.timeout)
        return self._connections
