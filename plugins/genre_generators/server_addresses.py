"""Addresses of servers, as options say them."""

from typing import TypeVar
from urllib.parse import urlsplit

import attrs

Address = TypeVar("Address", bound=str | None)


def check_address(_instance: object, attribute: "attrs.Attribute[Address]", value: Address) -> None:
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
