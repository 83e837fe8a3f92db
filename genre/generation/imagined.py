"""Answers that nobody gave yet, made up from the schema, so that an estimate can go on to the rounds that read them."""

import hashlib
from typing import Final

import attrs

from genre.generation.schema_values import value_of
from genre.parts import MalformedOutput, Prompt, Prompter, canonical_json

ASSUMPTION: Final = "texts half as long and lists as long as their schema allows"
"""What is assumed of answers that are not made yet, in words."""

_FILLER: Final = "words "
_LENGTH: Final = 200
"""The most characters of a text that may have any number of them."""
_ITEMS: Final = 3
"""Items of a list that may have any number of them."""


def imagined_answer(prompt: Prompt, prompter: Prompter) -> str | None:
    """An answer that the prompter can read; None where none can be made up from the schema."""
    schema = prompt.schema or prompter.schema
    mark = hashlib.blake2b(f"{prompt.subject}\0{prompt.draw}".encode(), digest_size=4).hexdigest()
    text = canonical_json(value_of(dict(schema), _Usual(mark)))
    try:
        prompter.parse(prompt, text)
    except MalformedOutput:
        return None
    return text


@attrs.frozen
class _Usual:
    """Texts half as long and lists as long as they may be.

    Attributes:
        mark: begins texts, so that those of two subjects differ.
    """

    mark: str

    def text(self, _: str, number: int, least: int, most: int | None) -> str:
        length = max(least, (_LENGTH if most is None else most) // 2)
        text = f"{self.mark}{number or ''} " + _FILLER * (length // len(_FILLER) + 1)
        return text[:length].rstrip().ljust(least, ".")

    def items(self, least: int, most: int | None) -> int:
        return max(least, _ITEMS) if most is None else most
