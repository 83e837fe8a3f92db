"""The generator `openai-compatible`: a server that speaks `/v1/chat/completions`, wherever it runs."""

from typing import TYPE_CHECKING, Final

from genre.parts import Completion, Identity, Price, Prompt
from genre_generators.openai_compatible_options import OpenAICompatibleOptions

if TYPE_CHECKING:
    from genre_generators.chat_client import ChatClient
    from genre_generators.chat_http import Posts


AT_HAND: Final = 1 / 8
"""Calls that workers have at hand, as a share of those in flight: with twice as many, fewer were answered a second."""


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
