"""The chat-completions protocol as pure functions: request fields from a prompt, an answer or an error from a reply."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final, Literal, TypeAlias

import attrs

from genre.parts import (
    Completion,
    Fatal,
    GenerationError,
    Json,
    Prompt,
    RateLimited,
    Refused,
    Transient,
    Usage,
    canonical_json,
)

Structured: TypeAlias = Literal["json_schema", "json_object", "none"]
"""How a server is asked for JSON: by the prompt's schema, as any JSON object, or by the prompt's words only."""

OWN_FIELDS: Final = frozenset(
    {"model", "messages", "max_tokens", "temperature", "top_p", "seed", "response_format", "stream", "n"}
)
"""Request fields that come from the prompt; `parameters` cannot set them."""
MESSAGE_LENGTH: Final = 300
"""Characters of a server's error text that are passed on."""
_SECRET: Final = re.compile(r"key|token(?!s)|secret|password|credential|auth|headers")
_FATAL: Final = {
    402: "the account has no credit left: add some, or use another generator",
    403: "check what the API key is allowed to do",
    404: "check the model's name and the address, which usually ends with /v1",
    405: "check the address, which usually ends with /v1",
    429: "the account has no credit left: add some, or use another generator",
}


def check_parameters(_instance: object, attribute: "attrs.Attribute[Any]", value: Mapping[str, object]) -> None:
    """Validator of an option `parameters`: JSON values, and no field that the prompt decides.

    Raises:
        ValueError: otherwise.
    """
    if own := sorted(OWN_FIELDS & set(value)):
        raise ValueError(f"{attribute.name}.{own[0]} is decided by the task and the generator's own options")
    if secret := next(_secret_names(value), None):
        # Parameters are part of the identity, which is stored and printed.
        raise ValueError(f'{attribute.name}.{secret} looks like a secret; write api_key = {{ env = "MY_API_KEY" }}')
    try:
        canonical_json(value)
    except TypeError as error:
        raise ValueError(f"{attribute.name} must hold JSON values only: {error}") from error


def _secret_names(value: object) -> Iterator[str]:
    """Names, at any depth, that look like those of secrets."""
    if isinstance(value, list):
        for item in value:
            yield from _secret_names(item)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            if _SECRET.search(str(name).lower()):
                yield str(name)
            yield from _secret_names(item)


def request_fields(prompt: Prompt, structured: Structured) -> dict[str, Json]:
    """What a request says about one prompt: messages, sampling, seed and, where asked for, the answer's format."""
    fields: dict[str, Json] = {
        "messages": [{"role": message.role, "content": message.content} for message in prompt.messages],
        "max_tokens": prompt.sampling.max_tokens,
        "temperature": prompt.sampling.temperature,
        "top_p": prompt.sampling.top_p,
        "seed": prompt.seed,
    }
    if prompt.schema is not None and structured == "json_schema":
        fields["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": dict(prompt.schema)},
        }
    elif prompt.schema is not None and structured == "json_object":
        fields["response_format"] = {"type": "json_object"}
    return fields


def read_body(body: bytes, model: str) -> Completion:
    """The answer in the body of a reply with status 200.

    Args:
        model: the model that was asked, for replies that do not name theirs.

    Raises:
        GenerationError: as `read_reply`, and `Transient` when the body is not a JSON object.
    """
    reply = json_object(body)
    if reply is None:
        raise Transient("the server's reply is not a JSON object")
    return read_reply(reply, model)


def read_reply(reply: Mapping[str, Json], model: str) -> Completion:
    """The answer in a chat completion.

    Raises:
        Refused: the provider's content filter, or the model itself, declined.
        Transient: not a chat completion, or an empty answer.
        GenerationError: the reply is an error (some gateways send it with status 200).
    """
    choices = reply.get("choices")
    if not choices and (error := reply.get("error")):
        code = error.get("code") if isinstance(error, dict) else None
        raise status_error(code if isinstance(code, int) else 500, error_message(reply))
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise Transient("the server's reply has no choices")
    message = choices[0].get("message")
    if not isinstance(message, dict):
        raise Transient("the server's reply has no message")
    finish = choices[0].get("finish_reason")
    if finish == "content_filter" or message.get("refusal"):
        raise Refused("the provider's content filter or the model declined to answer")
    text = message.get("content")
    cut = finish == "length"
    if text is None and cut:  # a reasoning model that spent everything on its reasoning
        text = ""
    if not isinstance(text, str) or not (text.strip() or cut):
        raise Transient("the answer is empty")
    name = reply.get("model")
    return Completion(
        text=text,
        model=name if isinstance(name, str) and name else model,
        finish="length" if cut else "stop",
        usage=_usage(reply.get("usage")),
    )


def status_error(
    status: int, said: str = "", *, code: object = None, headers: Mapping[str, str] | None = None
) -> GenerationError:
    """The typed error for an HTTP status that is not 200.

    Args:
        said: what the server said about it.
        code: the provider's own code, which tells an empty account from a rate limit.
        headers: of the reply; `Retry-After` is read.
    """
    text = f"the server answered {status}{f': {plain(said)}' if said else ''}"
    if status == 429 and code != "insufficient_quota":
        return RateLimited(text, retry_after((headers or {}).get("retry-after")))
    if status == 408 or status >= 500:
        return Transient(text)
    if status == 401:
        # Without the server's words: some repeat parts of the key.
        return Fatal("the server answered 401: the API key is missing or wrong")
    if status in _FATAL or 300 <= status < 400:
        return Fatal(f"{text}; {_FATAL.get(status, 'give the address it redirects to')}")
    return Refused(text)


def retry_after(value: str | None, now: float | None = None) -> float | None:
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


def json_object(body: bytes) -> dict[str, Json] | None:
    """The JSON object in a body, or None when there is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _usage(value: Json) -> Usage:
    def count(name: str) -> int | None:
        number = value.get(name) if isinstance(value, dict) else None
        return number if isinstance(number, int) and not isinstance(number, bool) and number >= 0 else None

    return Usage(count("prompt_tokens"), count("completion_tokens"))
