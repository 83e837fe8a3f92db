"""Options of the generator `litellm`."""

from collections.abc import Mapping
from typing import Literal

import attrs

from genre.options import Secret
from genre.parts import Price
from genre_generators.chat_requests import check_parameters
from genre_generators.server_addresses import check_address


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
        workers: processes that run litellm, which spends milliseconds of CPU on each call. 0, the default, runs it in
            this process: enough for some 200 calls a second, and no limit of most accounts is above that. Answers do
            not depend on it.
    """

    model: str = attrs.field(validator=attrs.validators.min_len(1))
    api_base: str | None = attrs.field(default=None, validator=check_address)
    api_key: Secret | None = None
    timeout: float = attrs.field(default=120.0, validator=attrs.validators.gt(0))
    structured: Literal["auto", "always", "never"] = "auto"
    parameters: Mapping[str, object] = attrs.field(factory=dict, validator=check_parameters)
    price: Price | None = None
    workers: int = attrs.field(default=0, validator=[attrs.validators.ge(0), attrs.validators.le(256)])
