"""The phrases of `sample_lexicon.toml`, read once and strictly: every list is there, and none has an unknown symbol."""

import re
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Final, TypeAlias

import attrs

from genre.options import structure
from genre.settings import read_toml

Rules: TypeAlias = Mapping[str, tuple[str, ...]]
"""The phrases that each symbol may become."""

SYMBOL: Final = re.compile(r"\{(\w+)\}")
"""What stands in a phrase for a phrase of the list of that name."""
COMMON_SYMBOLS: Final = frozenset(
    {"place", "city", "day", "number", "teaser", "terse", "title", "outlook", "context", "abstract"}
)
TOPIC_SYMBOLS: Final = frozenset({"tag", "who", "what", "did", "why", "head"})


@attrs.frozen
class Lexicon:
    """All phrases.

    Attributes:
        common: those of every news.
        topics: those of the news of a category and a subcategory.

    Raises:
        ValueError: a list of phrases is missing, unknown or empty, or a phrase has a symbol that there is not.
    """

    common: dict[str, tuple[str, ...]]
    topics: dict[str, dict[str, dict[str, tuple[str, ...]]]]

    def __attrs_post_init__(self) -> None:
        _check("common", self.common, COMMON_SYMBOLS)
        for category, subcategories in self.topics.items():
            for subcategory, rules in subcategories.items():
                _check(f"topics.{category}.{subcategory}", rules, TOPIC_SYMBOLS)

    def rules(self, category: str, subcategory: str) -> Rules:
        """The phrases that news of one topic are made of."""
        return {**self.common, **self.topics[category][subcategory]}


def _check(name: str, rules: Rules, symbols: Set[str]) -> None:
    if odd := symbols ^ rules.keys():
        raise ValueError(f"the list {name}.{min(odd)} is missing or unknown")
    for symbol, phrases in rules.items():
        if not all(phrases) or not phrases:
            raise ValueError(f"the list {name}.{symbol} is empty, or one of its phrases is")
        if unknown := set(SYMBOL.findall(" ".join(phrases))) - COMMON_SYMBOLS - TOPIC_SYMBOLS:
            raise ValueError(f"the list {name}.{symbol} has the symbol {min(unknown)!r}, which there is not")


def read_lexicon(path: Path) -> Lexicon:
    """A file of phrases.

    Raises:
        UsageError: the file is missing, is not TOML, or is not a `Lexicon`.
    """
    return structure(read_toml(path), Lexicon, str(path))


LEXICON: Final = read_lexicon(Path(__file__).with_suffix(".toml"))
