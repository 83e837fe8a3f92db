"""The generator `openai-batch`: OpenAI's batch API, and servers that speak its protocol."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal, cast

import attrs

from genre.parts import Identity, Json
from genre_generators.batch_options import BatchOptions, identity_parameters, secret_of
from genre_generators.chat_requests import Structured, check_parameters
from genre_generators.server_addresses import check_address

if TYPE_CHECKING:
    from genre_generators.batch_generator import BatchGenerator

OPENAI: Final = "https://api.openai.com/v1"


@attrs.frozen(kw_only=True)
class OpenAIBatchOptions(BatchOptions):
    """Options of the generator `openai-batch`.

    Attributes:
        base_url: address up to and including `/v1`. Without `api_key`, OpenAI's own is sent `OPENAI_API_KEY`, and no
            other address is sent any key.
        structured: how the model is asked for JSON: by the answer's schema, as any object, or by words only.
        max_tokens_field: what the model calls the bound of its answer; reasoning models take `max_completion_tokens`.
        parameters: further fields of each request; they are part of an answer's key.
    """

    base_url: str = attrs.field(default=OPENAI, validator=check_address)
    structured: Structured = "json_schema"
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    parameters: Mapping[str, object] = attrs.field(factory=dict, validator=check_parameters)


def openai_batch(options: OpenAIBatchOptions) -> "BatchGenerator":
    """Make the generator. Its identity is that of `openai-compatible` with the same address, model and parameters, so
    that the two share their answers.

    Raises:
        UsageError: the environment variable of `api_key` is not set; of the usual variable it is told at the first
            prompt.
    """
    from genre_generators.batch_generator import BatchGenerator
    from genre_generators.batch_http import BatchHttp
    from genre_generators.http_failures import Failures
    from genre_generators.openai_batches import OpenAIBatches

    address = options.base_url.rstrip("/")
    secret = secret_of(options, address, own=OPENAI, usual="OPENAI_API_KEY")
    further = cast(Mapping[str, Json], options.parameters)  # check_parameters made sure of it

    def connect() -> OpenAIBatches:
        key = None if secret is None else secret.reveal()
        failures = Failures(key, None if secret is None else secret.env, options.timeout)
        return OpenAIBatches(
            BatchHttp(address, {} if key is None else {"Authorization": f"Bearer {key}"}, failures),
            name=f"openai-batch {address}",
            model=options.model,
            structured=options.structured,
            token_field=options.max_tokens_field,
            omit=options.omit,
            parameters=further,
        )

    parameters = identity_parameters(options, {**further, "structured": options.structured})
    listed_as = options.model if address == OPENAI else None
    return BatchGenerator(options, Identity(options.model, address, parameters), connect, listed_as=listed_as)
