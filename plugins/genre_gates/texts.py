"""What gates share: the texts of answers and of news, and their words; untrusted, so that no reason repeats them."""

import re
import unicodedata
from collections.abc import Callable
from typing import Final

import polars as pl

from genre.dataset import Dataset
from genre.errors import UsageError, nearest
from genre.parts import Record

USUAL_FIELDS: Final = ("title", "abstract")
"""Text fields that may be named even when no news has them: the round may be the first to write them."""

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


def must_be_field(dataset: Dataset, field: str, *, where: str) -> None:
    """Refuse a text field that no news has.

    Args:
        where: the option that names it, for messages.

    Raises:
        UsageError: no news has such a field, nor is it a usual one.
    """
    fields = {*dataset.text_fields, *USUAL_FIELDS}
    if field not in fields:
        raise UsageError(f"no news has a text field {field!r}", where=where, remedy=nearest(field, fields))


def owners_of_texts(dataset: Dataset, field: str, plain: Callable[[str], str], *, gate: str) -> dict[str, str | None]:
    """The texts of a field in all their versions, and of each the only news that has it, or None where several have.

    Args:
        field: `""` for no texts.
        plain: what texts are compared as.
        gate: whose option `field` it is, for messages.

    Raises:
        UsageError: as `must_be_field`.
    """
    if field:
        must_be_field(dataset, field, where=f"gates.{gate}.field")
    rows = dataset.texts.filter(pl.col("field") == field)
    owners: dict[str, str | None] = {}
    for text, news in zip(map(plain, rows["text"]), dataset.news["id"].gather(rows["news"]), strict=True):
        owners[text] = news if owners.get(text, news) == news else None
    return owners
