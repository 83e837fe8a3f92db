"""Answers made from a schema: the example that a prompt's own schema describes."""

import attrs

from genre.errors import UsageError
from genre.generation.schema_values import value_of
from genre.generation.schemas import schema_problem
from genre.parts import Json, Prompt, canonical_json


def example_answer(prompt: Prompt) -> str:
    """A small answer to the prompt: JSON that meets its schema, or a line of text. Differs by subject and draw.

    Raises:
        UsageError: the schema asks for something that cannot be made up here, such as a text of some pattern.
    """
    salt = " ".join(f"about {prompt.subject}, {prompt.draw}".split())
    if prompt.schema is None:
        return f"A text {salt}"
    value = example(dict(prompt.schema), salt)
    problem = schema_problem(value, prompt.schema)
    if problem is not None:
        raise UsageError(
            f"no example meets the schema: {problem}",
            remedy="give `checks` an input answer=..., a function from a prompt to the text of an answer",
        )
    return canonical_json(value)


def example(schema: Json, salt: str = "") -> Json:
    """A small value that meets the schema, as far as its types, bounds, `enum` and `const` go.

    Args:
        schema: a JSON schema.
        salt: what texts say, so that answers differ.
    """
    return value_of(schema, _Small(salt))


@attrs.frozen
class _Small:
    """Texts that say where they stand, and lists of as few items as there may be, but one where that is allowed."""

    salt: str

    def text(self, path: str, number: int, least: int, most: int | None) -> str:
        said = " ".join(filter(None, (str(number or ""), path, self.salt)))
        return said[:most].strip().ljust(least, "x")

    def items(self, least: int, most: int | None) -> int:
        count = max(1, least)
        return count if most is None else min(count, most)
