"""Fetching one archive from one address over HTTP, from where an earlier attempt stopped."""

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import attrs

from genre.downloads.partial import Partial
from genre.errors import RunError
from genre.parts import Archive
from genre.proxies import proxy_for

OnBytes = Callable[[str, int, int | None], None]
"""Told an archive's name, how many bytes are there, and how many there will be, if the server says."""

_BLOCK: Final = 2**18
_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""What a server says when it may answer later. After anything else but success the next mirror is asked."""


@attrs.frozen
class Patience:
    """How long to wait, and how often to try.

    Attributes:
        timeout: seconds without a byte after which a connection is given up.
        attempts: attempts in a row at one mirror that bring nothing.
        wait: seconds before the second of them; twice as many before each further one.
    """

    timeout: float = attrs.field(default=60.0, validator=attrs.validators.gt(0))
    attempts: int = attrs.field(default=3, validator=attrs.validators.ge(1))
    wait: float = attrs.field(default=1.0, validator=attrs.validators.ge(0))


class MirrorFailed(Exception):
    """Why a mirror does not serve; the next one is asked."""


class _Interrupted(Exception):
    """Why an attempt ended before the end; the mirror is asked again."""


def is_address(url: str) -> bool:
    """Whether an archive's name may be put behind it: http or https, a host, and no more than a path."""
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and (parts.port is None or parts.port > 0)
            and not (parts.query or parts.fragment)
            and url.isprintable()
            and " " not in url
        )
    except ValueError:  # brackets, or the port
        return False


def public(url: str) -> str:
    """An address without user and password, to be shown or kept."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def leaves_encryption(way: Iterable[str]) -> bool:
    """Whether a way of addresses, each of which led to the next, begins encrypted and does not stay so."""
    first, *rest = (urlsplit(url).scheme == "https" for url in way)
    return first and not all(rest)


async def fetch(url: str, archive: Archive, partial: Partial, patience: Patience, *, on_bytes: OnBytes) -> None:
    """Fetch an archive into `partial`.

    Raises:
        MirrorFailed: the address does not have it.
        RunError: it cannot be written.
    """
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=patience.timeout, sock_read=patience.timeout)
    # What is compressed on the way has another length than what was asked for.
    headers = {"Accept-Encoding": "identity"}
    async with aiohttp.ClientSession(timeout=timeout, headers=headers, auto_decompress=False) as session:
        fetching = _Fetching(session, url, archive, partial, on_bytes)
        failures, most = 0, 0
        while True:
            most = max(most, partial.size)
            try:
                await fetching.attempt()
                return
            except (_Interrupted, aiohttp.ClientError, OSError) as error:  # a timeout is an OSError
                # More than ever before: what comes again after a start from scratch is no progress.
                failures = 0 if partial.size > most else failures + 1
                if failures >= patience.attempts:
                    told = str(error) or type(error).__name__
                    raise MirrorFailed(f"given up after {failures} attempts that brought nothing: {told}") from error
                await asyncio.sleep(patience.wait * 2 ** max(failures - 1, 0))


@attrs.frozen(eq=False)
class _Fetching:
    """An archive that is fetched from one address."""

    session: aiohttp.ClientSession
    url: str
    archive: Archive
    partial: Partial
    on_bytes: OnBytes

    async def attempt(self) -> None:
        """Fetch what is missing, or all of it if the server cannot go on from where it stopped."""
        validator = self.partial.validator(public(self.url))
        there = self.partial.size if validator else 0
        headers = {"Range": f"bytes={there}-", "If-Range": validator} if there else {}
        async with self.session.get(self.url, headers=headers, proxy=proxy_for(self.url)) as response:
            if leaves_encryption([self.url, *(str(each.url) for each in (*response.history, response))]):
                raise MirrorFailed(f"it leads to {response.url.host} without encryption")
            if there and response.status == 416:
                if response.headers.get("Content-Range", "") == f"bytes */{there}":
                    return
                self.partial.discard()
                raise _Interrupted("the server has another version of the file")
            total = self._begun(response, there, validator)
            await self._append(response, total)
        if total is not None and self.partial.size != total:
            raise _Interrupted(f"{self.partial.size:,} of {total:,} bytes came")

    def _begun(self, response: aiohttp.ClientResponse, there: int, validator: str) -> int | None:
        """Make `partial` ready for the body that comes.

        Returns:
            How many bytes the whole file has, if the server says.

        Raises:
            MirrorFailed: there comes none.
            _Interrupted: there may come one later.
        """
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise MirrorFailed("it sends the file encoded")
        if there and response.status == 206:
            span = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
            if span is not None and int(span[1]) == there and _validator(response) in ("", validator):
                return int(span[2])
            self.partial.discard()  # it goes on from elsewhere, or with another version
            raise _Interrupted("the server does not go on from where it stopped")
        if response.status in _AGAIN:
            raise _Interrupted(f"HTTP {response.status}")
        if response.status != 200:
            raise MirrorFailed(f"HTTP {response.status}")
        if (total := response.content_length) is not None and total > self.archive.most_bytes:
            raise MirrorFailed(f"it has {total:,} bytes, and at most {self.archive.most_bytes:,} are expected")
        with _writing(self.partial.path):
            self.partial.start(public(self.url), _validator(response))
        return total

    async def _append(self, response: aiohttp.ClientResponse, total: int | None) -> None:
        size = self.partial.size
        with self.partial.path.open("ab", buffering=0) as file:
            self.on_bytes(self.archive.name, size, total)
            async for block in response.content.iter_chunked(_BLOCK):
                size += len(block)
                if size > self.archive.most_bytes:
                    raise MirrorFailed(f"it sends more than {self.archive.most_bytes:,} bytes")
                with _writing(self.partial.path):
                    file.write(block)
                self.on_bytes(self.archive.name, size, total)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:  # which is not the mirror's
        raise RunError(f"the archive cannot be written: {error}", where=path, remedy="make room") from error


def _validator(response: aiohttp.ClientResponse) -> str:
    """What tells this version of the file from others, if anything does: weak tags may stand for several."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified", "")
