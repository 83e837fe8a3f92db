"""What gates share: the text of an answer, and its words. Both are untrusted, and reasons never repeat them."""

import re
import unicodedata
from typing import Final

from genre.parts import Record

_WORD: Final = re.compile(r"\w+")


def text_of(record: Record, name: str) -> str | None:
    """The text of a property; None when it is missing or no text."""
    value = record.get(name)
    return value if isinstance(value, str) else None


def no_text(name: str) -> str:
    """The reason of every gate when `text_of` finds nothing to judge."""
    return f"{name} is no text"


def words(text: str) -> list[str]:
    """Lower-case words without punctuation, as encoders split them."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).lower())
