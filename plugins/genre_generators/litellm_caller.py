"""Calls through litellm in the process at hand: the same code with and without worker processes."""

import asyncio
from typing import Any, Final

from genre.parts import Completion, GenerationError, Json, Prompt
from genre_generators.chat_replies import read_reply, without_key
from genre_generators.chat_requests import request_fields
from genre_generators.litellm_errors import typed_error
from genre_generators.litellm_library import check_key, check_provider, import_litellm
from genre_generators.litellm_options import LiteLLMOptions
from genre_generators.strict_schemas import strict_subset

NO_KEY: Final = "none"
"""What a server of one's own is sent as key, so that no provider's key from the environment goes there."""


class LiteLLMCaller:
    """Turns prompts into litellm's calls, and what litellm raises into typed errors.

    Args:
        key: the value of the option `api_key`, None without it; it appears in no error.
    """

    def __init__(self, options: LiteLLMOptions, key: str | None) -> None:
        self._options = options
        self._key = key
        self._starting = asyncio.Lock()
        self._litellm: Any = None
        self._takes_schema = False

    async def complete(self, prompt: Prompt) -> Completion:
        """Answer one prompt; litellm is imported at the first one.

        Raises:
            GenerationError: one of its subclasses, once calls are made.
            UsageError: before any call, as `start`.
        """
        async with self._starting:
            if self._litellm is None:
                await asyncio.to_thread(self.start)
        try:
            reply = await self._litellm.acompletion(**self._arguments(prompt))
            answer = {name: without_key(said, self._key) for name, said in _as_sent(reply.model_dump()).items()}
        except Exception as error:  # noqa: BLE001  litellm passes on whatever its providers' code raises
            raise self._typed(error) from None  # the cause's text may hold a key
        return read_reply(answer, self._options.model)

    async def aclose(self) -> None:
        """Close litellm's connections. They are shared: another generator that is still in use opens new ones."""
        if self._litellm is not None:
            await self._litellm.close_litellm_async_clients()
            self._litellm.in_memory_llm_clients_cache.flush_cache()  # it would go on with those that are closed

    def start(self) -> None:
        """Import litellm, which takes seconds, and make sure that it can ask the model.

        Raises:
            UsageError: an unknown provider, or no key for it.
        """
        litellm = import_litellm()
        options = self._options
        check_provider(litellm, options.model, options.api_base)
        if options.api_key is None and options.api_base is None:
            check_key(litellm, options.model)
        self._takes_schema = options.structured == "always" or (
            options.structured == "auto"
            and (options.api_base is not None or litellm.supports_response_schema(options.model))
        )
        self._litellm = litellm

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
