"""Titles and abstracts out of the lexicon, by a context-free grammar."""

import re

import attrs

from genre_datasets.draws import Draws
from genre_datasets.sample_lexicon import LEXICON, SYMBOL, Rules

TOPICS = tuple((category, subcategory) for category, rules in LEXICON.topics.items() for subcategory in rules)
"""All (category, subcategory) that news are written about."""


@attrs.frozen
class Text:
    """What is written of one news."""

    title: str
    abstract: str


def write_text(draws: Draws, topic: tuple[str, str], *, teasers: float) -> Text:
    """The texts of one news.

    Args:
        topic: one of `TOPICS`.
        teasers: chance of a title that hides what the news is about; its abstract still says it.
    """
    rules = LEXICON.rules(*topic)
    chosen: dict[str, str] = {}
    hidden = draws.uniform() < teasers
    title = "{title}" if not hidden else "{teaser}" if draws.uniform() < 0.6 else "{terse}"
    ending = draws.uniform()
    abstract = "{abstract} {context}" if ending < 0.6 else "{abstract} {outlook}" if ending < 0.8 else "{abstract}"
    return Text(
        title=_sentence(_expand(title, rules, draws, chosen)),
        abstract=_sentence(_expand(abstract, rules, draws, chosen)),
    )


def _expand(text: str, rules: Rules, draws: Draws, chosen: dict[str, str]) -> str:
    """Replace every symbol; one that was chosen before in this news stays the same."""

    def replace(match: re.Match[str]) -> str:
        symbol = match[1]
        if symbol not in chosen:
            chosen[symbol] = _expand(draws.pick(rules[symbol]), rules, draws, chosen)
        return chosen[symbol]

    return SYMBOL.sub(replace, text)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
