"""What litellm's exceptions mean: typed errors, with no key in their texts."""

import re
from types import ModuleType
from typing import Final

import aiohttp

from genre.parts import Fatal, GenerationError, Transient
from genre_generators.chat_errors import plain, status_error, without_keys

_OBJECT: Final = re.compile(r" ?\b(\w+:)?<[^<>]* at 0x[0-9a-fA-F]+>")
"""An object of Python as its default text shows it, and the name before it."""


def typed_error(
    litellm: ModuleType, error: Exception, *, key: str | None, key_name: str | None, timeout: float
) -> GenerationError:
    """The typed error by the HTTP status that litellm gives each of its exceptions.

    Args:
        key: the configured API key; None where litellm may have found one in the environment.
        key_name: the environment variable that the configured key comes from, for messages.
        timeout: seconds that the call had.
    """
    status = getattr(error, "status_code", None)
    said = plain(without_keys(f"{type(error).__name__}: {error}", key))
    if not isinstance(status, int):
        return Transient(f"litellm failed: {said}", may_be_billed=True)
    if isinstance(error, litellm.Timeout):
        return Transient(f"no answer within {timeout:g} s", may_be_billed=True)
    unclear = isinstance(error, litellm.APIConnectionError | litellm.InternalServerError)
    if unclear and (lost := _lost_connection(error)) is not None:
        words = plain(_OBJECT.sub("", without_keys(str(lost) or type(lost).__name__, key)))
        return Transient(f"the connection failed: {words}", may_be_billed=not _never_connected(lost))
    headers = getattr(error, "litellm_response_headers", None) or {}
    body = getattr(error, "body", None)
    code = body.get("code") if isinstance(body, dict) else None
    typed = status_error(status, said, code=code, retry_after=headers.get("retry-after"))
    # litellm gives the status 500 also to what went wrong after the provider had answered.
    typed.may_be_billed = unclear
    if isinstance(typed, Fatal) and status in (401, 403):
        source = key_name or "the provider's usual variable"
        return Fatal(f"{typed} (the key is read from {source})")
    return typed


def _lost_connection(error: BaseException) -> BaseException | None:
    """What the HTTP client said, where a lost connection is behind litellm's exception, which says status 500 then."""
    import httpx  # litellm's own client

    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        if isinstance(cause, httpx.TransportError | aiohttp.ClientConnectionError):
            return cause
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__
    return None


def _never_connected(lost: BaseException) -> bool:
    import httpx

    return isinstance(lost, httpx.ConnectError | aiohttp.ClientConnectorError)
