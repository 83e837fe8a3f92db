"""The HTTP calls of batch APIs: JSON replies, and results line by line, with typed errors only."""

import io
from collections.abc import AsyncIterator, Mapping
from typing import Final, Literal

import aiohttp

from genre.parts import Fatal, Json, Refused, Transient
from genre.proxies import proxy_for
from genre_generators.batch_service import checked_id
from genre_generators.chat_replies import json_object
from genre_generators.http_failures import Failures, read_reply_bytes

MAX_REPLY_BYTES: Final = 4 << 20
"""A longer reply, or a longer line of results, is not read."""

_PAGES: Final = 50


class NotFound(Fatal):
    """The server does not know what was asked for (404, 410)."""


class BatchHttp:
    """One session with one provider.

    Args:
        base_url: address up to and including `/v1`.
        headers: sent with every call, the key among them; they go to `base_url` only.
        failures: makes the typed errors.
    """

    def __init__(self, base_url: str, headers: Mapping[str, str], failures: Failures) -> None:
        self._base = base_url.rstrip("/")
        self._headers = dict(headers)
        self._failures = failures
        self._session: aiohttp.ClientSession | None = None

    async def call(
        self,
        method: Literal["GET", "POST"],
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: Mapping[str, Json] | None = None,
        data: io.BytesIO | aiohttp.FormData | None = None,
        content_type: str | None = None,
    ) -> dict[str, Json]:
        """The JSON object that the server answers with.

        Raises:
            GenerationError: one of its subclasses. A `Transient` that may be billed may have been carried out.
        """
        headers = {"Content-Type": content_type} if content_type else None
        try:
            # A redirect is not followed: the key and the prompts go to the configured server only.
            async with self._open().request(
                method,
                self._base + path,
                params=query,
                json=json,
                data=data,
                headers=headers,
                allow_redirects=False,
            ) as response:
                body = await self._body(response)
                if not 200 <= response.status < 300:
                    raise self._error(response, body)
        except (aiohttp.ClientError, OSError) as failure:
            raise self._failures.of_connection(failure) from failure
        reply = json_object(body, self._failures.key)
        if reply is None:
            raise Transient("the server's reply is not a JSON object", may_be_billed=True)
        return reply

    async def lines(self, path: str) -> AsyncIterator[Mapping[str, Json]]:
        """The objects in the lines of a reply, one at a time; a line that is longer than `MAX_REPLY_BYTES`, or that is
        no JSON object, is left out.

        Raises:
            GenerationError: as `call`.
        """
        try:
            async with self._open().get(self._base + path, allow_redirects=False) as response:
                if response.status != 200:
                    raise self._error(response, await self._body(response))
                rest, skipping = b"", False
                async for chunk in response.content.iter_any():
                    first, *further = (rest + chunk).split(b"\n")
                    for line in further:
                        if not skipping and (said := json_object(first, self._failures.key)):
                            yield said
                        first, skipping = line, False
                    skipping = skipping or len(first) > MAX_REPLY_BYTES
                    rest = b"" if skipping else first
                if not skipping and (said := json_object(rest, self._failures.key)):
                    yield said
        except (aiohttp.ClientError, OSError) as failure:
            raise self._failures.of_connection(failure) from failure

    async def listed(self, path: str, cursor: str) -> AsyncIterator[Mapping[str, Json]]:
        """The objects of a list; the parameter `cursor` says after which id a page begins.

        Raises:
            GenerationError: as `call`; what says nothing of a list is not taken for an empty one.
        """
        query = {"limit": "100"}
        for _ in range(_PAGES):
            page = await self.call("GET", path, query=query)
            objects = page.get("data")
            if not isinstance(objects, list):
                raise Transient("the server's reply is not a list")
            for each in objects:
                if isinstance(each, dict):
                    yield each
            if page.get("has_more") is not True:
                return
            query[cursor] = checked_id(page, "last_id")

    async def aclose(self) -> None:
        """Close the connections; a later call opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        """The session; made here because it belongs to the running event loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._failures.timeout),
                headers=self._headers,
                cookie_jar=aiohttp.DummyCookieJar(),
                proxy=proxy_for(self._base),
            )
        return self._session

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        try:
            return await read_reply_bytes(response, MAX_REPLY_BYTES)
        except Refused as failure:  # no prompt is at fault
            raise Transient(str(failure), may_be_billed=True) from failure

    def _error(self, response: aiohttp.ClientResponse, body: bytes) -> Exception:
        error = self._failures.of_reply(response.status, body, response.headers.get("Retry-After"))
        if response.status in (404, 410):
            return NotFound(str(error))
        if response.status == 408 or response.status >= 500:
            error.may_be_billed = True  # it may have been carried out all the same
        return error
