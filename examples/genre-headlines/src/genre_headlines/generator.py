"""Answers with the longest line of the question. It costs nothing, so models can be compared with it."""

import json
from collections.abc import Mapping

import attrs
from genre.parts import Completion, Identity, Json, Price, Prompt, Refused


@attrs.frozen
class HeadlinesGeneratorOptions:
    """Options of the generator `headlines`.

    Attributes:
        longest: characters that an answer has at most.
    """

    longest: int = attrs.field(default=120, validator=attrs.validators.ge(1))


class HeadlinesGenerator:
    """Quotes the longest line of the question; a prompt with a schema gets it as each text that the schema asks for.

    It asks nobody. One that calls a service has the service's address as `endpoint`, raises `RateLimited`, `Transient`
    and `Fatal` too, and closes its connections in `async def aclose(self)`.
    """

    price = Price(0.0, 0.0)

    def __init__(self, options: HeadlinesGeneratorOptions) -> None:
        self._longest = options.longest
        self.identity = Identity(model="longest-line", endpoint="in-process", parameters={"longest": options.longest})

    async def complete(self, prompt: Prompt) -> Completion:
        """Answer one prompt.

        Raises:
            Refused: the question has no line, or the schema asks for something else than texts.
        """
        lines = prompt.messages[-1].content.splitlines()
        line = max((each.strip() for each in lines), key=len, default="")[: self._longest]
        if not line:
            raise Refused("the question has no line")
        text = line if prompt.schema is None else json.dumps(_filled(prompt.schema, line))
        return Completion(text=text, model="longest-line")


def _filled(schema: Mapping[str, Json], line: str) -> dict[str, str]:
    """The line as each property of the schema."""
    properties = schema.get("properties")
    filled = {}
    for name, wanted in properties.items() if isinstance(properties, dict) else ():
        if not isinstance(wanted, dict) or wanted.get("type") != "string" or "enum" in wanted:
            raise Refused(f"the schema asks for something else than a text: {name}")
        most = wanted.get("maxLength")
        filled[name] = line[:most] if isinstance(most, int) else line
    return filled
