"""Readers of the sample: their interests, what they clicked before, and what they click among candidates."""

from collections.abc import Sequence
from typing import Final

import attrs

from genre.dataset import NEW_READER_CLICKS
from genre_datasets.draws import Draws

SUBTOPIC_PULL: Final = 5.5
"""Utility of a news on a topic of interest of weight 1, in units of the noise that decides between candidates."""
CATEGORY_PULL: Final = 3.0
"""Utility of a news that shares only the category with such a topic."""
POPULARITY_PULL: Final = 0.8
RECENCY_PULL: Final = 0.2
STICKINESS: Final = 0.55
"""Chance that a click in the history stays with the topic of the click before."""
STRAY: Final = 0.08
"""Chance that a click in the history follows no interest at all."""
FRESH_DAYS: Final = 4.0
"""Days for which a news is shown as a candidate."""
LEAST_CANDIDATES: Final = 5
MOST_CANDIDATES: Final = 15


@attrs.frozen
class SampleNews:
    """What the simulator knows of a news.

    Attributes:
        topic: position in the grammar's topics.
        category: position of the topic's category.
        published: days since the sample's first day.
        appeal: how much everybody likes it, with unit variance.
    """

    topic: int
    category: int
    published: float
    appeal: float


@attrs.frozen
class Reader:
    """One simulated user.

    Attributes:
        interests: topic -> weight; the weights sum to 1, and the strongest comes first.
        categories: categories of these topics.
        clicks: length of the history before the first impression.
    """

    user: str
    interests: dict[int, float]
    categories: frozenset[int]
    clicks: int

    @property
    def is_new(self) -> bool:
        """At most five clicks."""
        return self.clicks <= NEW_READER_CLICKS


def draw_readers(draws: Draws, count: int, topics: Sequence[int], *, new: float, empty: float) -> list[Reader]:
    """Readers with one to three topics each, and a history length.

    Args:
        topics: the category of each topic.
        new: share of readers with one to five clicks.
        empty: share of readers without any click; the rest have six to thirty.
    """
    without_clicks = round(empty * count)
    quota = [0] * without_clicks + [1] * min(round(new * count), count - without_clicks)
    kinds = draws.shuffled(quota + [2] * (count - len(quota)))
    readers = []
    for number, kind in enumerate(kinds, start=1):
        chosen = draws.weighted([1.0] * len(topics), draws.between(1, 3))
        raw = sorted((0.3 + draws.uniform() for _ in chosen), reverse=True)
        clicks = (0, draws.between(1, NEW_READER_CLICKS), draws.between(NEW_READER_CLICKS + 1, 30))[kind]
        weights = {topic: weight / sum(raw) for topic, weight in zip(chosen, raw, strict=True)}
        readers.append(Reader(f"U{number}", weights, frozenset(topics[topic] for topic in chosen), clicks))
    return readers


def draw_history(draws: Draws, reader: Reader, news: Sequence[SampleNews], before: float, count: int) -> list[int]:
    """`count` clicked news of before a day (fewer if there are not so many), oldest first."""
    available = [index for index, item in enumerate(news) if item.published < before]
    clicked: list[int] = []
    topic = -1
    while len(clicked) < min(count, len(available)):
        if topic < 0 or draws.uniform() >= STICKINESS:
            topics = list(reader.interests)
            topic = topics[draws.weighted(list(reader.interests.values()), 1)[0]]
        left = [index for index in available if index not in clicked]
        on_topic = [index for index in left if news[index].topic == topic]
        related = on_topic or [index for index in left if news[index].category in reader.categories]
        clicked.append(draws.pick(related if related and draws.uniform() >= STRAY else left))
    return sorted(clicked, key=lambda index: news[index].published)


def draw_candidates(
    draws: Draws, reader: Reader, news: Sequence[SampleNews], day: float, *, history: Sequence[int], clicked: set[int]
) -> list[int]:
    """Five to fifteen fresh news that the reader has not read; about one in four was picked for the reader.

    Args:
        history: news that are never shown again.
        clicked: news clicked since, which are not shown again as long as there are enough others.
    """
    read = set(history)
    unseen = [index for index, item in enumerate(news) if item.published < day and index not in read]
    untouched = [index for index in unseen if index not in clicked]
    if len(untouched) >= MOST_CANDIDATES:
        unseen = untouched
    fresh = [index for index in unseen if day - FRESH_DAYS <= news[index].published]
    if len(fresh) < MOST_CANDIDATES:  # a small sample publishes too little a day
        fresh = unseen[-MOST_CANDIDATES:]
    weights = [
        (2.5 if news[index].topic in reader.interests else 1.5 if news[index].category in reader.categories else 1.0)
        for index in fresh
    ]
    return [fresh[position] for position in draws.weighted(weights, draws.between(LEAST_CANDIDATES, MOST_CANDIDATES))]


def draw_clicks(
    draws: Draws, reader: Reader, news: Sequence[SampleNews], day: float, shown: Sequence[int]
) -> list[int]:
    """Labels (0 or 1) of the candidates, in their order; at least one is 1."""
    utilities = [utility(reader, news, index, day) + draws.gumbel() for index in shown]
    chance = draws.uniform()
    count = 1 if chance < 0.8 else 2 if chance < 0.96 else 3  # as in MIND, most have one click
    count = max(1, min(count, len(shown) - 1))
    threshold = sorted(utilities, reverse=True)[count - 1]
    return [int(value >= threshold) for value in utilities]


def utility(reader: Reader, news: Sequence[SampleNews], index: int, day: float) -> float:
    """How much the reader wants to click a news, without the noise of the moment."""
    item = news[index]
    strongest = max(reader.interests.values())
    if item.topic in reader.interests:
        interest = SUBTOPIC_PULL * (0.5 + 0.5 * reader.interests[item.topic] / strongest)
    else:
        interest = CATEGORY_PULL if item.category in reader.categories else 0.0
    recency = 1 - (day - item.published) / FRESH_DAYS
    return interest + POPULARITY_PULL * item.appeal + RECENCY_PULL * recency
