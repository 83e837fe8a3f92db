"""The generator `anthropic-batch`: Anthropic's Message Batches."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal, cast

import attrs

from genre.parts import Identity, Json
from genre_generators.anthropic_messages import OWN_FIELDS
from genre_generators.batch_options import BatchOptions, identity_parameters, secret_of
from genre_generators.chat_requests import check_parameters
from genre_generators.server_addresses import check_address

if TYPE_CHECKING:
    from genre_generators.batch_generator import BatchGenerator

ANTHROPIC: Final = "https://api.anthropic.com/v1"
VERSION: Final = "2023-06-01"


def _check_fields(
    instance: object, attribute: "attrs.Attribute[Mapping[str, object]]", value: Mapping[str, object]
) -> None:
    if own := sorted(OWN_FIELDS & set(value)):
        raise ValueError(f"{attribute.name}.{own[0]} is decided by the task and the generator's own options")
    check_parameters(instance, attribute, value)


@attrs.frozen(kw_only=True)
class AnthropicBatchOptions(BatchOptions):
    """Options of the generator `anthropic-batch`.

    Attributes:
        base_url: address up to and including `/v1`. Without `api_key`, Anthropic's own is sent `ANTHROPIC_API_KEY`, and
            no other address is sent any key.
        structured: send the answer's schema, or never, for models that do not take one.
        parameters: further fields of each request; they are part of an answer's key.
    """

    base_url: str = attrs.field(default=ANTHROPIC, validator=check_address)
    structured: Literal["json_schema", "never"] = "json_schema"
    parameters: Mapping[str, object] = attrs.field(factory=dict, validator=_check_fields)


def anthropic_batch(options: AnthropicBatchOptions) -> "BatchGenerator":
    """Make the generator. Its identity is that of `litellm` with the model `anthropic/MODEL` and the same parameters,
    so that the two share their answers.

    Raises:
        UsageError: the environment variable of `api_key` is not set; of the usual variable it is told at the first
            prompt.
    """
    from genre_generators.anthropic_batches import AnthropicBatches
    from genre_generators.batch_generator import BatchGenerator
    from genre_generators.batch_http import BatchHttp
    from genre_generators.http_failures import Failures

    address = options.base_url.rstrip("/")
    secret = secret_of(options, address, own=ANTHROPIC, usual="ANTHROPIC_API_KEY")
    further = cast(Mapping[str, Json], options.parameters)  # check_parameters made sure of it

    def connect() -> AnthropicBatches:
        key = None if secret is None else secret.reveal()
        failures = Failures(key, None if secret is None else secret.env, options.timeout)
        headers = {"anthropic-version": VERSION, **({} if key is None else {"x-api-key": key})}
        return AnthropicBatches(
            BatchHttp(address, headers, failures),
            name=f"anthropic-batch {address}",
            model=options.model,
            with_schema=options.structured == "json_schema",
            omit=options.omit,
            parameters=further,
        )

    structured = "auto" if options.structured == "json_schema" else "never"  # what `litellm` calls them
    parameters = identity_parameters(options, {**further, "structured": structured})
    endpoint = "anthropic" if address == ANTHROPIC else address
    listed_as = options.model if address == ANTHROPIC else None
    identity = Identity(f"anthropic/{options.model}", endpoint, parameters)
    return BatchGenerator(options, identity, connect, listed_as=listed_as)
