"""Options of the generator `openai-compatible`."""

from collections.abc import Mapping
from typing import cast

import attrs

from genre.options import Secret
from genre.parts import Json, Price
from genre_generators.chat_requests import Structured, check_parameters
from genre_generators.server_addresses import check_address


@attrs.frozen
class OpenAICompatibleOptions:
    """Options of the generator `openai-compatible`.

    Attributes:
        base_url: address up to and including `/v1`, such as `http://127.0.0.1:8000/v1`.
        model: the model's name at that server.
        api_key: `{ env = "VARIABLE" }`; most servers of one's own need none.
        timeout: seconds for one call.
        structured: how the server is asked for JSON: by the answer's schema, as any object, or by words only.
        parameters: further fields of the request, such as `repetition_penalty`; they are part of an answer's key.
        price: what tokens cost, `{ prompt = 0.15, completion = 0.60 }` in US dollars for a million; a budget needs it.
        workers: processes that make the calls. 0, the default, makes them in this process: enough for some 2,000 calls
            a second. Answers do not depend on it.
    """

    base_url: str = attrs.field(validator=check_address)
    model: str = attrs.field(validator=attrs.validators.min_len(1))
    api_key: Secret | None = None
    timeout: float = attrs.field(default=120.0, validator=attrs.validators.gt(0))
    structured: Structured = "json_schema"
    parameters: Mapping[str, object] = attrs.field(factory=dict, validator=check_parameters)
    price: Price | None = None
    workers: int = attrs.field(default=0, validator=[attrs.validators.ge(0), attrs.validators.le(256)])

    @property
    def request_parameters(self) -> Mapping[str, Json]:
        """The further fields; `check_parameters` made sure that they are JSON."""
        return cast(Mapping[str, Json], self.parameters)
