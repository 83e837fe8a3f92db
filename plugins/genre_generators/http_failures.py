"""What goes wrong between here and a provider's server, as typed errors that hold no key."""

import re
from typing import Final

import aiohttp
import attrs

from genre.parts import Fatal, GenerationError, Refused, Transient
from genre_generators.chat_errors import error_code, error_message, plain, status_error
from genre_generators.chat_replies import json_object

_PASSWORD: Final = re.compile(r"//[^/\s]*@")
"""A proxy's user and password in an address."""


@attrs.frozen
class Failures:
    """Makes typed errors of replies and of lost connections.

    Attributes:
        key: the API key, or None; it appears in no error.
        key_name: where the key comes from (its environment variable), for messages.
        timeout: seconds that a call has.
    """

    key: str | None = attrs.field(repr=False)
    key_name: str | None
    timeout: float

    def of_reply(self, status: int, body: bytes, retry_after: str | None) -> GenerationError:
        """The typed error for a reply whose status is not 200.

        Args:
            retry_after: the header of that name.
        """
        reply = json_object(body, self.key) or {}
        error = status_error(status, error_message(reply), code=error_code(reply), retry_after=retry_after)
        if status in (401, 403):
            source = f"the environment variable {self.key_name}" if self.key_name else "the option api_key, not set"
            return Fatal(f"{error} (the key is read from {source})")
        return error

    def of_connection(self, failure: Exception) -> GenerationError:
        """The typed error for a call that ended without a reply."""
        if isinstance(failure, TimeoutError):
            return Transient(f"no answer within {self.timeout:g} s", may_be_billed=True)
        said = _PASSWORD.sub("//", str(failure) or type(failure).__name__)
        said = plain(said.replace(self.key, "***") if self.key else said)
        if isinstance(failure, aiohttp.ClientConnectorCertificateError | aiohttp.InvalidURL):
            return Fatal(f"the server cannot be reached: {said}; check its address")
        # Before there is a connection nothing can have been answered; after that, who knows.
        billed = not isinstance(failure, aiohttp.ClientConnectorError)
        return Transient(f"the connection failed: {said}", may_be_billed=billed)


async def read_reply_bytes(response: aiohttp.ClientResponse, most: int) -> bytes:
    """A reply's body.

    Raises:
        Refused: it is longer than `most` bytes; it is not read to its end.
    """
    if 0 <= (response.content_length or -1) <= most and "Content-Encoding" not in response.headers:
        return await response.content.read()  # at once, which is quicker
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > most:
            raise Refused(f"the server's reply is longer than {most} bytes", may_be_billed=True)
        chunks.append(chunk)
    return b"".join(chunks)
