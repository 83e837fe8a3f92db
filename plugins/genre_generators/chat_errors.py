"""What a server's refusal means: typed errors from HTTP statuses, headers and error bodies."""

import os
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from genre.parts import Fatal, GenerationError, Json, RateLimited, Refused, Transient

MESSAGE_LENGTH: Final = 300
"""Characters of a server's error text that are passed on."""
_FATAL: Final = {
    402: "the account has no credit left: add some, or use another generator",
    403: "check what the API key is allowed to do",
    404: "check the model's name and the address, which usually ends with /v1",
    405: "check the address, which usually ends with /v1",
    429: "the account has no credit left: add some, or use another generator",
}


def status_error(
    status: int, said: str = "", *, code: object = None, retry_after: str | None = None
) -> GenerationError:
    """The typed error for an HTTP status that is not 200.

    Args:
        said: what the server said about it.
        code: the provider's own code, which tells an empty account from a rate limit.
        retry_after: the header of that name.
    """
    text = f"the server answered {status}{f': {plain(said)}' if said else ''}"
    if status == 429 and code != "insufficient_quota":
        return RateLimited(text, seconds_to_wait(retry_after))
    if status == 408 or status >= 500:
        return Transient(text)
    if status == 401:
        # Without the server's words: some repeat parts of the key.
        return Fatal("the server answered 401: the API key is missing or wrong")
    if status in _FATAL or 300 <= status < 400:
        return Fatal(f"{text}; {_FATAL.get(status, 'give the address it redirects to')}")
    return Refused(text)


def seconds_to_wait(value: str | None, now: float | None = None) -> float | None:
    """Seconds to wait, from a Retry-After header: a number of seconds, or an HTTP date (RFC 9110, section 10.2.3).

    Args:
        now: seconds since the epoch; the clock by default.
    """
    if value is None:
        return None
    value = value.strip()
    if value.replace(".", "", 1).isascii() and value.replace(".", "", 1).isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return max(0.0, moment - (time.time() if now is None else now))


def error_message(reply: Mapping[str, Json]) -> str:
    """What a reply that is an error says; empty when it says nothing in a known form."""
    error = reply.get("error", reply)
    said = error.get("message") if isinstance(error, dict) else error
    return said if isinstance(said, str) else ""


def error_code(reply: Mapping[str, Json]) -> Json:
    """The provider's own code of an error."""
    error = reply.get("error")
    return error.get("code") if isinstance(error, dict) else None


def plain(text: str) -> str:
    """A stranger's text as part of a message: one line, printable, short."""
    line = "".join(char if char.isprintable() else " " for char in text[: 4 * MESSAGE_LENGTH])
    return " ".join(line.split())[:MESSAGE_LENGTH]


def without_keys(text: str, key: str | None) -> str:
    """The text without any key: the configured one, and those that a library may have found in the environment."""
    keys = {value for name, value in os.environ.items() if name.endswith(("_KEY", "_TOKEN")) and len(value) >= 8}
    for secret in keys | ({key} if key else set()):
        text = text.replace(secret, "***")
    return text
