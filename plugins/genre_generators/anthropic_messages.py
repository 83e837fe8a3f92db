"""Anthropic's Messages: a prompt as a request, and a message or an error as what became of it."""

from collections.abc import Mapping, Sequence
from typing import Final

from genre.parts import Completion, GenerationError, Json, Prompt, Refused, Transient, Usage
from genre_generators.chat_errors import error_message, status_error
from genre_generators.strict_schemas import strict_subset

OWN_FIELDS: Final = frozenset({"system", "output_config", "output_format"})
"""Request fields beside those of every chat that come from the prompt."""
_STATUS: Final = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


def message_fields(prompt: Prompt, *, with_schema: bool, omit: Sequence[str]) -> dict[str, Json]:
    """What a request says about one prompt. There is no seed, and a nucleus is sent only where the prompt has one:
    most models refuse it beside a temperature.
    """
    system = "\n\n".join(message.content for message in prompt.messages if message.role == "system")
    turns = [message for message in prompt.messages if message.role != "system"]
    fields: dict[str, Json] = {
        "max_tokens": prompt.sampling.max_tokens,
        "messages": [{"role": message.role, "content": message.content} for message in turns],
        "temperature": prompt.sampling.temperature,
    }
    if system:
        fields["system"] = system
    if prompt.sampling.top_p < 1.0:
        fields["top_p"] = prompt.sampling.top_p
    if with_schema and prompt.schema is not None:
        schema = strict_subset(dict(prompt.schema))
        fields["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    return {name: value for name, value in fields.items() if name not in omit}


def read_message(message: Mapping[str, Json], model: str) -> Completion:
    """The answer in a message.

    Args:
        model: the model that was asked, for messages that do not name theirs.

    Raises:
        Refused: the model declined.
        Transient: not a message, or an empty one.
    """
    stop = message.get("stop_reason")
    if stop == "refusal":
        raise Refused("the model declined to answer", may_be_billed=True)
    content = message.get("content")
    if not isinstance(content, list):
        raise Transient("the message has no content", may_be_billed=True)
    blocks = [block for block in content if isinstance(block, dict) and block.get("type") == "text"]
    text = "".join(said for block in blocks if isinstance(said := block.get("text"), str))
    cut = stop in ("max_tokens", "model_context_window_exceeded")
    if not (text.strip() or cut):
        raise Transient("the answer is empty", may_be_billed=True)
    name = message.get("model")
    return Completion(
        text=text,
        model=name if isinstance(name, str) and name else model,
        finish="length" if cut else "stop",
        usage=_usage(message.get("usage")),
    )


def read_error(reply: Mapping[str, Json]) -> GenerationError:
    """The typed error for what the provider calls an error."""
    error = reply.get("error")
    kind = error.get("type") if isinstance(error, dict) else None
    return status_error(_STATUS.get(kind, 500) if isinstance(kind, str) else 500, error_message(reply))


def _usage(value: Json) -> Usage:
    def count(*names: str) -> int | None:
        found = [value.get(name) for name in names] if isinstance(value, dict) else []
        numbers = [each for each in found if isinstance(each, int) and not isinstance(each, bool) and each >= 0]
        return sum(numbers) if numbers else None

    asked = count("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    return Usage(asked, count("output_tokens"))
