"""Posts chat-completions requests to one server: one session, one call for each request, lost connections typed."""

from typing import TYPE_CHECKING, Final, Protocol

import aiohttp
import attrs

from genre.proxies import proxy_for
from genre_generators.deadline import Deadline
from genre_generators.http_failures import Failures, read_reply_bytes

if TYPE_CHECKING:
    from genre_generators.openai_compatible_options import OpenAICompatibleOptions

MAX_REPLY_BYTES: Final = 4 << 20
"""A longer reply is not read to its end: no task asks for megabytes."""
_HEADERS: Final = {"Content-Type": "application/json"}


@attrs.frozen
class Reply:
    """What a server said.

    Attributes:
        retry_after: the header of that name.
        body: as it came; it may repeat the API key.
    """

    status: int
    retry_after: str | None
    body: bytes


class Posts(Protocol):
    """Posts requests; `ChatHttp` does in this process, `ChatHttpWorkers` in others."""

    async def post(self, request: bytes) -> Reply:
        """Post one request, a JSON object in UTF-8.

        Raises:
            GenerationError: there is no reply, or a longer one than `MAX_REPLY_BYTES`.
            UsageError: before any call: a worker process cannot begin.
        """

    def send_no_more(self) -> None:
        """Send nothing of what waits to be sent: such posts raise `Transient`."""

    async def aclose(self) -> None:
        """Close what is open; a later call opens it again."""


class ChatHttp:
    """Posts to `/chat/completions` under an address, or to another path.

    Args:
        base_url: address up to and including `/v1`.
        failures: of this server; its key is sent to `base_url` only, and its timeout is that of one call, connection
            included.
        path: what is posted to under the address.
    """

    def __init__(self, base_url: str, failures: Failures, *, path: str = "/chat/completions") -> None:
        self._url = base_url.rstrip("/") + path
        self._failures = failures
        self._connections: tuple[aiohttp.ClientSession, Deadline] | None = None

    async def post(self, request: bytes) -> Reply:
        """Post one request, a JSON object in UTF-8.

        Raises:
            GenerationError: there is no reply, or a longer one than `MAX_REPLY_BYTES`.
        """
        session, deadline = self._open()
        try:
            with deadline.call():
                # A redirect is not followed: the key and the reader's data go to the configured server only.
                async with session.post(self._url, data=request, allow_redirects=False) as response:
                    body = await read_reply_bytes(response, MAX_REPLY_BYTES)
            return Reply(response.status, response.headers.get("Retry-After"), body)
        except (aiohttp.ClientError, OSError) as failure:
            raise self._failures.of_connection(failure) from failure

    def send_no_more(self) -> None:
        """Nothing waits here."""

    async def aclose(self) -> None:
        """Close the connections; a later call opens new ones."""
        connections, self._connections = self._connections, None
        if connections is not None:
            await connections[0].close()

    def _open(self) -> tuple[aiohttp.ClientSession, Deadline]:
        """The session and its calls' time limit; made here because they belong to the running event loop."""
        if self._connections is None:
            key = self._failures.key
            session = aiohttp.ClientSession(
                # The engine bounds the calls in flight.
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(total=None),  # the deadline is cheaper
                cookie_jar=aiohttp.DummyCookieJar(),  # a chat has no session to remember
                headers=_HEADERS if key is None else {**_HEADERS, "Authorization": f"Bearer {key}"},
                proxy=proxy_for(self._url),
            )
            self._connections = session, Deadline(self._failures.timeout)
        return self._connections


def failures_of(options: "OpenAICompatibleOptions", key: str | None) -> Failures:
    """The typed errors of the server that the options name.

    Args:
        key: the value of the option `api_key`, None without it.
    """
    return Failures(key, options.api_key.env if options.api_key else None, options.timeout)
