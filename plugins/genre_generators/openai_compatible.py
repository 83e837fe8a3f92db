"""The generator `openai-compatible`: a server that speaks `/v1/chat/completions`, wherever it runs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

import attrs

from genre.options import Secret
from genre.parts import Completion, Identity, Json, Price, Prompt
from genre_generators.chat_requests import Structured, check_parameters

if TYPE_CHECKING:
    from genre_generators.chat_client import ChatClient
    from genre_generators.chat_http import Posts


AT_HAND: Final = 1 / 8
"""Calls that workers have at hand, as a share of those in flight: with twice as many, fewer were answered a second."""


def check_address(_instance: object, attribute: "attrs.Attribute[Any]", value: str | None) -> None:
    """Validator of an option that is a server's address, which is stored and printed: no password in it.

    Raises:
        ValueError: otherwise.
    """
    if value is None:
        return
    parts = urlsplit(value)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(f"{attribute.name} must not hold a user, a password or a query; a key belongs into api_key")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{attribute.name} {value!r} must be an address such as 'http://127.0.0.1:8000/v1'")


@attrs.frozen
class OpenAICompatibleOptions:
    """Options of the generator `openai-compatible`.

    Attributes:
        base_url: address up to and including `/v1`, such as `http://127.0.0.1:8000/v1`.
        model: the model's name at that server.
        api_key: `{ env = "VARIABLE" }`; most servers of one's own need none.
        timeout: seconds for one call.
        structured: how the server is asked for JSON: by the answer's schema, as any object, or by words only.
        parameters: further fields of the request, such as `repetition_penalty`; they are part of an answer's key.
        price: what tokens cost, `{ prompt = 0.15, completion = 0.60 }` in US dollars for a million; a budget needs it.
        workers: processes that make the calls. 0, the default, makes them in this process: enough for some 2,000 calls
            a second. Answers do not depend on it.
    """

    base_url: str = attrs.field(validator=check_address)
    model: str = attrs.field(validator=attrs.validators.min_len(1))
    api_key: Secret | None = None
    timeout: float = attrs.field(default=120.0, validator=attrs.validators.gt(0))
    structured: Structured = "json_schema"
    parameters: Mapping[str, object] = attrs.field(factory=dict, validator=check_parameters)
    price: Price | None = None
    workers: int = attrs.field(default=0, validator=[attrs.validators.ge(0), attrs.validators.le(256)])

    @property
    def request_parameters(self) -> Mapping[str, Json]:
        """The further fields; `check_parameters` made sure that they are JSON."""
        return cast(Mapping[str, Json], self.parameters)


class OpenAICompatibleGenerator:
    """Asks one server, from this process or from worker processes. Its connections stay open until `aclose`.

    Raises:
        UsageError: the environment variable of the key is not set.
    """

    def __init__(self, options: OpenAICompatibleOptions) -> None:
        self._options = options
        self._key = None if options.api_key is None else options.api_key.reveal()
        self._client: ChatClient | None = None
        self._most_in_flight: int | None = None
        self._identity = Identity(
            model=options.model,
            endpoint=options.base_url.rstrip("/"),
            parameters={**options.request_parameters, "structured": options.structured},
        )

    @property
    def identity(self) -> Identity:
        """The model's name, the server's address, and the further fields."""
        return self._identity

    @property
    def price(self) -> Price | None:
        """What the options say; a server of one's own has no list of prices."""
        return self._options.price

    def keep_to(self, concurrency: int) -> int:
        """Have no more than so many calls in flight: workers keep to it, and have some more at hand.

        An answer then makes room for a call that is there already, not for one that this process has still to make.
        """
        self._most_in_flight = concurrency
        return int(concurrency * AT_HAND) if self._options.workers else 0

    def send_no_more(self) -> None:
        """Let workers send nothing of what they have at hand."""
        if self._client is not None:
            self._client.send_no_more()

    async def complete(self, prompt: Prompt) -> Completion:
        """Answer one prompt.

        Raises:
            GenerationError: one of its subclasses, whatever the server says.
            UsageError: before any call: a worker process cannot begin.
        """
        if self._client is None:
            self._client = self._open()
        return await self._client.complete(prompt)

    async def aclose(self) -> None:
        """Close the connections and end the worker processes; a later call starts anew."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _open(self) -> "ChatClient":
        from genre_generators.chat_client import ChatClient
        from genre_generators.chat_http import ChatHttp, failures_of

        options = self._options
        failures = failures_of(options, self._key)
        posts: Posts = ChatHttp(options.base_url, failures)
        if options.workers:
            from genre_generators.chat_http_workers import ChatHttpWorkers

            posts = ChatHttpWorkers(options, self._key, self._most_in_flight)
        return ChatClient(
            posts, failures, options.model, structured=options.structured, parameters=options.request_parameters
        )
