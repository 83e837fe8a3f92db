"""What a chat-completions request says: fields from a prompt, and which further fields an option may add."""

import re
from collections.abc import Iterator, Mapping
from typing import Final, Literal, TypeAlias

import attrs

from genre.parts import Json, Prompt, Sampling, canonical_json

Structured: TypeAlias = Literal["json_schema", "json_object", "none"]
"""How a server is asked for JSON: by the prompt's schema, as any JSON object, or by the prompt's words only."""

OWN_FIELDS: Final = frozenset(
    {"model", "messages", "max_tokens", "temperature", "top_p", "seed", "response_format", "stream", "n"}
)
"""Request fields that come from the prompt; `parameters` cannot set them."""
_SECRET: Final = re.compile(r"key|token(?!s)|secret|password|credential|auth|headers")


def request_fields(prompt: Prompt, structured: Structured) -> dict[str, Json]:
    """What a request says about one prompt: messages, sampling, seed and, where asked for, the answer's format."""
    return {
        "messages": chat_messages(prompt),
        "seed": prompt.seed,
        **shared_fields(prompt.sampling, prompt.schema, structured),
    }


def chat_messages(prompt: Prompt) -> list[Json]:
    """The prompt's chat."""
    return [{"role": message.role, "content": message.content} for message in prompt.messages]


def shared_fields(sampling: Sampling, schema: Mapping[str, Json] | None, structured: Structured) -> dict[str, Json]:
    """What the requests of all prompts of a round say."""
    fields: dict[str, Json] = {
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
    }
    answer = _response_format(schema, structured)
    return fields if answer is None else {**fields, "response_format": answer}


def _response_format(schema: Mapping[str, Json] | None, structured: Structured) -> dict[str, Json] | None:
    """How a request asks for JSON; None where the prompt's words alone do."""
    if schema is None or structured == "none":
        return None
    if structured == "json_object":
        return {"type": "json_object"}
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": dict(schema)}}


def check_parameters(
    _instance: object, attribute: "attrs.Attribute[Mapping[str, object]]", value: Mapping[str, object]
) -> None:
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
