"""litellm itself: imported quietly, and asked before any call whether it can reach a model."""

import os
from types import ModuleType
from typing import Final, cast

from genre.errors import UsageError
from genre.parts import Price, Prompt, canonical_json


def import_litellm() -> ModuleType:
    """litellm, quiet, and without the download of prices that it makes at import."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm

    litellm.telemetry = False
    litellm.suppress_debug_info = True
    return cast(ModuleType, litellm)


def check_provider(litellm: ModuleType, model: str, api_base: str | None) -> None:
    """Make sure that litellm knows whom to ask.

    Raises:
        UsageError: it knows no provider for the model.
    """
    try:
        litellm.get_llm_provider(model, api_base=api_base)
    except Exception as error:
        raise UsageError(
            f"litellm knows no provider for the model {model!r}",
            remedy="write PROVIDER/MODEL, such as 'openai/gpt-4o-mini'",
        ) from error


def check_key(litellm: ModuleType, model: str) -> None:
    """Make sure that the environment has the key that the model's provider wants.

    Raises:
        UsageError: it has not.
    """
    names = litellm.validate_environment(model)["missing_keys"]
    # Only keys: other missing variables have defaults, or are found elsewhere (ollama, AWS profiles).
    if missing := [name for name in names if name.endswith("_API_KEY")]:
        raise UsageError(
            f"the model {model!r} needs an API key, and {missing[0]} is not set",
            remedy=f'export {missing[0]}=..., or set api_key = {{ env = "VARIABLE" }}',
        )


def listed_price(litellm: ModuleType, model: str) -> Price | None:
    """What litellm's list of prices says; None for a model that it does not list."""
    try:
        prompt, completion = litellm.cost_per_token(model=model, prompt_tokens=1_000_000, completion_tokens=1_000_000)
    except Exception:  # noqa: BLE001  litellm raises Exception itself for an unknown model
        return None
    return Price(prompt, completion)


def counted_tokens(litellm: ModuleType, model: str, prompt: Prompt) -> int | None:
    """Tokens of a prompt's messages and schema for a model of OpenAI; None for others.

    Their tokenizer comes with litellm. Those of other providers would be fetched from the web, or are not published.
    """
    if model.partition("/")[0] != "openai" and model not in litellm.open_ai_chat_completion_models:
        return None
    texts = [message.content for message in prompt.messages]
    texts += [] if prompt.schema is None else [canonical_json(prompt.schema)]
    return sum(len(tokens) + _MARKUP for tokens in litellm.encoding.encode_batch(texts, disallowed_special=()))


_MARKUP: Final = 4
"""Tokens that a chat's markup adds to each message."""
