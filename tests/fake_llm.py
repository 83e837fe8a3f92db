"""A generator for tests that answers any schema with JSON, and counts its calls."""

from collections.abc import Callable

import attrs

from genre.parts import Completion, Identity, Json, Prompt, canonical_json


def by_schema(prompt: Prompt) -> str:
    """The smallest JSON that meets the prompt's schema, different for each subject and draw."""
    assert prompt.schema is not None
    properties = prompt.schema["properties"]
    assert isinstance(properties, dict)
    return canonical_json({name: _value(name, schema, prompt) for name, schema in properties.items()})


def _value(name: str, schema: Json, prompt: Prompt) -> Json:
    assert isinstance(schema, dict)
    if "enum" in schema:
        assert isinstance(schema["enum"], list)
        return schema["enum"][0]
    if schema["type"] == "integer":
        return schema.get("minimum", 0)
    if schema["type"] == "array":
        return [_value(name, schema["items"], prompt)]
    return f"{name} of {prompt.subject} {prompt.draw}"[: int(str(schema.get("maxLength", 999)))]


@attrs.define(eq=False)
class FakeLLM:
    """Answers with `answer(prompt)`: a text, or an error to raise."""

    answer: Callable[[Prompt], str | Exception] = by_schema
    identity: Identity = attrs.field(factory=lambda: Identity(model="fake", endpoint="test"))
    prompts: list[Prompt] = attrs.field(factory=list)

    async def complete(self, prompt: Prompt) -> Completion:
        self.prompts.append(prompt)
        outcome = self.answer(prompt)
        if isinstance(outcome, Exception):
            raise outcome
        return Completion(text=outcome, model="fake-1")
