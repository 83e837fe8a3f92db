"""The generator `litellm`: any provider that litellm knows."""

import asyncio
import os
from collections.abc import Mapping
from typing import Any, Final, Literal, cast

import attrs

from genre.errors import UsageError
from genre.parts import Completion, Fatal, GenerationError, Identity, Json, Prompt, Transient
from genre.settings import Secret
from genre_generators.chat_errors import plain, status_error
from genre_generators.chat_replies import read_reply
from genre_generators.chat_requests import check_parameters, request_fields
from genre_generators.openai_compatible import check_address

NO_KEY: Final = "none"
"""What a server of one's own is sent as key, so that no provider's key from the environment goes there."""
NOT_STRICT: Final = frozenset({"minLength", "maxLength", "uniqueItems"})
"""JSON-schema keywords that providers' strict modes refuse; the answer's parser checks them anyway."""


@attrs.frozen
class LiteLLMOptions:
    """Options of the generator `litellm`.

    Attributes:
        model: litellm's name of the model, with its provider: `openai/gpt-4o-mini`, `anthropic/claude-haiku-4-5`.
        api_base: address of another server that speaks the provider's protocol. It is sent `api_key` only, never a
            key that litellm finds in the environment.
        api_key: `{ env = "VARIABLE" }`; without it litellm reads the provider's usual variable.
        timeout: seconds for one call.
        structured: send the answer's schema where the model takes one (`auto`: servers at `api_base` are taken to),
            always, or never; otherwise the prompt's words ask for JSON.
        parameters: further arguments of the call; they are part of an answer's key.
    """

    model: str = attrs.field(validator=attrs.validators.min_len(1))
    api_base: str | None = attrs.field(default=None, validator=check_address)
    api_key: Secret | None = None
    timeout: float = attrs.field(default=120.0, validator=attrs.validators.gt(0))
    structured: Literal["auto", "always", "never"] = "auto"
    parameters: Mapping[str, object] = attrs.field(factory=dict, validator=check_parameters)


class LiteLLMGenerator:
    """Asks through litellm, which is imported at the first prompt because that takes seconds.

    Raises:
        UsageError: the environment variable of the key is not set.
    """

    def __init__(self, options: LiteLLMOptions) -> None:
        self._options = options
        self._key = None if options.api_key is None else options.api_key.reveal()
        provider, slash, _ = options.model.partition("/")
        self._identity = Identity(
            model=options.model,
            endpoint=options.api_base.rstrip("/") if options.api_base else provider if slash else "litellm",
            parameters={
                **cast(Mapping[str, Json], options.parameters),  # check_parameters made sure of it
                "structured": options.structured,
            },
        )
        self._starting = asyncio.Lock()
        self._litellm: Any = None
        self._takes_schema = False

    @property
    def identity(self) -> Identity:
        """The model, the provider or address, and the further arguments."""
        return self._identity

    async def complete(self, prompt: Prompt) -> Completion:
        """Answer one prompt.

        Raises:
            GenerationError: one of its subclasses, once calls are made.
            UsageError: at the first prompt, before any call: an unknown provider, or no key for it.
        """
        async with self._starting:
            if self._litellm is None:
                self._litellm = await asyncio.to_thread(self._start)
        try:
            reply = await self._litellm.acompletion(**self._arguments(prompt))
            answer = _as_sent(reply.model_dump())
        except Exception as error:  # noqa: BLE001  litellm passes on whatever its providers' code raises
            raise self._typed(error) from None  # the cause's text may hold a key
        return read_reply(answer, self._options.model)

    async def aclose(self) -> None:
        """Close litellm's connections."""
        if self._litellm is not None:
            await self._litellm.close_litellm_async_clients()

    def _start(self) -> Any:
        litellm = _import_litellm()
        options = self._options
        try:
            litellm.get_llm_provider(options.model, api_base=options.api_base)
        except Exception as error:
            raise UsageError(
                f"litellm knows no provider for the model {options.model!r}",
                remedy="write PROVIDER/MODEL, such as 'openai/gpt-4o-mini'",
            ) from error
        if options.api_key is None and options.api_base is None:
            names = litellm.validate_environment(options.model)["missing_keys"]
            # Only keys: other missing variables have defaults, or are found elsewhere (ollama, AWS profiles).
            if missing := [name for name in names if name.endswith("_API_KEY")]:
                raise UsageError(
                    f"the model {options.model!r} needs an API key, and {missing[0]} is not set",
                    remedy=f'export {missing[0]}=..., or set api_key = {{ env = "VARIABLE" }}',
                )
        self._takes_schema = options.structured == "always" or (
            options.structured == "auto"
            and (options.api_base is not None or litellm.supports_response_schema(options.model))
        )
        return litellm

    def _arguments(self, prompt: Prompt) -> dict[str, object]:
        fields: dict[str, Any] = dict(request_fields(prompt, "json_schema" if self._takes_schema else "none"))
        if self._options.api_base is None and "response_format" in fields:
            schema = fields["response_format"]["json_schema"]
            schema["schema"] = _strict_subset(schema["schema"])
        return {
            **self._options.parameters,
            **fields,
            "model": self._options.model,
            "api_base": self._options.api_base,
            "api_key": self._key or (NO_KEY if self._options.api_base else None),
            "timeout": self._options.timeout,
            "drop_params": True,  # providers without a seed or a nucleus answer without them
            "num_retries": 0,  # the engine retries
            "max_retries": 0,
        }

    def _typed(self, error: Exception) -> GenerationError:
        """By the HTTP status that litellm gives each of its exceptions."""
        status = getattr(error, "status_code", None)
        said = self._clean(f"{type(error).__name__}: {error}")
        if not isinstance(status, int):
            return Transient(f"litellm failed: {said}")
        if isinstance(error, self._litellm.Timeout):
            return Transient(f"no answer within {self._options.timeout:g} s")
        headers = getattr(error, "litellm_response_headers", None) or {}
        body = getattr(error, "body", None)
        code = body.get("code") if isinstance(body, dict) else None
        typed = status_error(status, said, code=code, headers=headers)
        if isinstance(typed, Fatal) and status in (401, 403):
            source = self._options.api_key.env if self._options.api_key else "the provider's usual variable"
            return Fatal(f"{typed} (the key is read from {source})")
        return typed

    def _clean(self, text: str) -> str:
        """Without any key: the configured one, and those that litellm may have found in the environment."""
        keys = {value for name, value in os.environ.items() if name.endswith(("_KEY", "_TOKEN")) and len(value) >= 8}
        for key in keys | ({self._key} if self._key else set()):
            text = text.replace(key, "***")
        return plain(text)


def _import_litellm() -> Any:
    """litellm, quiet, and without the download of prices that it makes at import."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm

    litellm.telemetry = False
    litellm.suppress_debug_info = True
    return litellm


def _as_sent(reply: dict[str, Any]) -> dict[str, Json]:
    """The reply with the fields of its messages, such as `refusal`, where the provider wrote them."""
    for choice in reply["choices"]:
        extra = choice["message"].pop("provider_specific_fields", None) or {}
        choice["message"] = {**extra, **choice["message"]}
    return reply


def _strict_subset(schema: Json) -> Json:
    """The schema without the keywords that strict modes refuse."""
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, Json] = {}
    for keyword, value in schema.items():
        if keyword in NOT_STRICT:
            continue
        if keyword == "properties" and isinstance(value, dict):
            kept[keyword] = {name: _strict_subset(inner) for name, inner in value.items()}
        else:
            kept[keyword] = _strict_subset(value)
    return kept
