"""An HTTP client for one chat-completions server: one session, one call for each prompt, typed errors only."""

import ipaddress
import json
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from genre.parts import Completion, Fatal, GenerationError, Json, Prompt, Refused, Transient
from genre_generators.chat_errors import error_code, error_message, plain, status_error
from genre_generators.chat_replies import json_object, read_body
from genre_generators.chat_requests import Structured, request_fields

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
        self._key_name = key_name
        self._timeout = timeout
        self._structured = structured
        self._parameters = dict(parameters or {})
        self._session: aiohttp.ClientSession | None = None

    async def complete(self, prompt: Prompt) -> Completion:
        """Answer one prompt.

        Raises:
            GenerationError: one of its subclasses, never anything else.
        """
        request = {**self._parameters, "model": self._model, **request_fields(prompt, self._structured)}
        body = _ENCODER.encode(request).encode()
        try:
            # A redirect is not followed: the key and the reader's data go to the configured server only.
            async with self._open().post(self._url, data=body, allow_redirects=False) as response:
                reply = self._without_key(await _read(response.content))
                if response.status == 200:
                    return read_body(reply, self._model)
                raise self._error(response, reply)
        except TimeoutError as failure:
            raise Transient(f"no answer within {self._timeout:g} s", may_be_billed=True) from failure
        except (aiohttp.ClientConnectorCertificateError, aiohttp.InvalidURL) as failure:
            raise Fatal(f"the server cannot be reached: {self._clean(failure)}; check its address") from failure
        except (aiohttp.ClientError, OSError) as failure:
            # Before there is a connection nothing can have been answered; after that, who knows.
            billed = not isinstance(failure, aiohttp.ClientConnectorError)
            raise Transient(f"the connection failed: {self._clean(failure)}", may_be_billed=billed) from failure

    async def aclose(self) -> None:
        """Close the connections; a later call opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        """The session; made here because it belongs to the running event loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # The engine bounds the calls in flight.
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(total=self._timeout),
                cookie_jar=aiohttp.DummyCookieJar(),  # a chat has no session to remember
                headers=_HEADERS if self._key is None else {**_HEADERS, "Authorization": f"Bearer {self._key}"},
                # Proxies from the environment, but never for a server on this machine.
                trust_env=not _is_loopback(self._url),
            )
        return self._session

    def _error(self, response: aiohttp.ClientResponse, body: bytes) -> GenerationError:
        if self._key:  # before anything is cut short, so that no half of a key is left
            body = body.replace(self._key.encode(), b"***")
        reply = json_object(body) or {}
        error = status_error(response.status, error_message(reply), code=error_code(reply), headers=response.headers)
        if response.status in (401, 403):
            source = f"the environment variable {self._key_name}" if self._key_name else "the option api_key, not set"
            return Fatal(f"{error} (the key is read from {source})")
        return error

    def _without_key(self, body: bytes) -> bytes:
        """A server may repeat the key in whatever it says, and what it says is stored."""
        return body if self._key is None else body.replace(self._key.encode(), b"***")

    def _clean(self, error: Exception) -> str:
        text = str(error) or type(error).__name__
        return plain(text.replace(self._key, "***") if self._key else text)


async def _read(stream: aiohttp.StreamReader) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in stream.iter_any():
        size += len(chunk)
        if size > MAX_REPLY_BYTES:
            raise Refused(f"the server's reply is longer than {MAX_REPLY_BYTES} bytes", may_be_billed=True)
        chunks.append(chunk)
    return b"".join(chunks)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
