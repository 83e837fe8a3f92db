"""The generator `litellm`: any provider that litellm knows."""

import functools
from collections.abc import Mapping
from typing import cast

from genre.parts import Completion, Identity, Json, Price, Prompt
from genre_generators.litellm_caller import LiteLLMCaller
from genre_generators.litellm_library import counted_tokens, import_litellm, listed_price
from genre_generators.litellm_options import LiteLLMOptions
from genre_generators.litellm_workers import LiteLLMWorkers


class LiteLLMGenerator:
    """Asks through litellm, in this process or in worker processes. It is loaded at the first prompt, which takes
    seconds.

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
        self._caller: LiteLLMCaller | LiteLLMWorkers | None = None

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

    def count_tokens(self, prompt: Prompt) -> int | None:
        """Tokens of a prompt as the provider counts them, for estimates; None where its tokenizer is not at hand."""
        return None if self._options.api_base else counted_tokens(import_litellm(), self._options.model, prompt)

    async def complete(self, prompt: Prompt) -> Completion:
        """Answer one prompt.

        Raises:
            GenerationError: one of its subclasses, once calls are made.
            UsageError: at the first prompt, before any call: an unknown provider, or no key for it.
        """
        if self._caller is None:
            options, key = self._options, self._key
            self._caller = (LiteLLMWorkers if options.workers else LiteLLMCaller)(options, key)
        return await self._caller.complete(prompt)

    async def aclose(self) -> None:
        """Close litellm's connections and end the worker processes; a later call starts anew."""
        caller, self._caller = self._caller, None
        if caller is not None:
            await caller.aclose()
