"""The generator `litellm`: any provider that litellm knows."""

import asyncio
import functools
from collections.abc import Mapping
from typing import Any, Final, Literal, cast

import attrs

from genre.parts import Completion, GenerationError, Identity, Json, Price, Prompt
from genre.settings import Secret
from genre_generators.chat_replies import read_reply
from genre_generators.chat_requests import check_parameters, request_fields
from genre_generators.litellm_errors import typed_error
from genre_generators.litellm_library import check_key, check_provider, import_litellm, listed_price
from genre_generators.openai_compatible import check_address
from genre_generators.strict_schemas import strict_subset

NO_KEY: Final = "none"
"""What a server of one's own is sent as key, so that no provider's key from the environment goes there."""


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
        price: what tokens cost, `{ prompt = 0.15, completion = 0.60 }` in US dollars for a million; default:
            litellm's list, but not for another server.
    """

    model: str = attrs.field(validator=attrs.validators.min_len(1))
    api_base: str | None = attrs.field(default=None, validator=check_address)
    api_key: Secret | None = None
    timeout: float = attrs.field(default=120.0, validator=attrs.validators.gt(0))
    structured: Literal["auto", "always", "never"] = "auto"
    parameters: Mapping[str, object] = attrs.field(factory=dict, validator=check_parameters)
    price: Price | None = None


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

    @functools.cached_property
    def price(self) -> Price | None:
        """What the options or litellm's list of prices say; None when neither does."""
        if self._options.price is not None or self._options.api_base is not None:
            return self._options.price
        return listed_price(import_litellm(), self._options.model)

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
        litellm = import_litellm()
        options = self._options
        check_provider(litellm, options.model, options.api_base)
        if options.api_key is None and options.api_base is None:
            check_key(litellm, options.model)
        self._takes_schema = options.structured == "always" or (
            options.structured == "auto"
            and (options.api_base is not None or litellm.supports_response_schema(options.model))
        )
        return litellm

    def _arguments(self, prompt: Prompt) -> dict[str, object]:
        fields: dict[str, Any] = dict(request_fields(prompt, "json_schema" if self._takes_schema else "none"))
        if self._options.api_base is None and "response_format" in fields:
            schema = fields["response_format"]["json_schema"]
            schema["schema"] = strict_subset(schema["schema"])
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
        options = self._options
        key_name = options.api_key.env if options.api_key else None
        return typed_error(self._litellm, error, key=self._key, key_name=key_name, timeout=options.timeout)


def _as_sent(reply: dict[str, Any]) -> dict[str, Json]:
    """The reply with the fields of its messages, such as `refusal`, where the provider wrote them."""
    for choice in reply["choices"]:
        extra = choice["message"].pop("provider_specific_fields", None) or {}
        choice["message"] = {**extra, **choice["message"]}
    return reply
