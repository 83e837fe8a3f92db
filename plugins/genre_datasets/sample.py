"""The data set `sample`: made by a seeded simulator, in the shape of MIND.

Short news are written by a grammar; readers have one to three topics of interest each, and click what is close to
them, with noise. Days are counted from the first news: two weeks fill the histories, six days are the train split,
one day is dev and one is test.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import attrs
import polars as pl

from genre.dataset import Dataset, assemble
from genre.errors import UsageError
from genre_datasets.draws import Draws
from genre_datasets.sample_grammar import TOPICS, write_text
from genre_datasets.sample_impressions import SPLIT_DAYS, Impression, draw_impressions
from genre_datasets.sample_readers import Reader, SampleNews, draw_readers

FIRST_DAY: Final = datetime(2019, 10, 26)
DAYS: Final = 22.0
SECONDS_A_DAY: Final = 86_400

_CATEGORIES: Final = tuple(dict.fromkeys(category for category, _ in TOPICS))
_TOPIC_CATEGORIES: Final = tuple(_CATEGORIES.index(category) for category, _ in TOPICS)
_MOST: Final = 10_000_000
"""Of anything: everything is drawn in memory, and more is a slip of the keyboard."""
_count: Final = [attrs.validators.ge(1), attrs.validators.le(_MOST)]
_share: Final = [attrs.validators.ge(0.0), attrs.validators.le(1.0)]


@attrs.frozen
class SampleOptions:
    """Options of the data set `sample`.

    Attributes:
        seed: the same seed and options make the same data set on every machine.
        news: number of news.
        users: number of users.
        train, dev, test: number of impressions in each split.
        new: share of users with one to five clicks.
        empty: share of users without any click; the rest have six to thirty.
        teasers: share of titles that do not say what the news is about, so that a better title can help.
    """

    seed: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    news: int = attrs.field(default=320, validator=[attrs.validators.ge(2 * len(TOPICS)), attrs.validators.le(_MOST)])
    users: int = attrs.field(default=260, validator=_count)
    train: int = attrs.field(default=2500, validator=_count)
    dev: int = attrs.field(default=500, validator=_count)
    test: int = attrs.field(default=600, validator=_count)
    new: float = attrs.field(default=0.36, validator=_share)
    empty: float = attrs.field(default=0.06, validator=_share)
    teasers: float = attrs.field(default=0.35, validator=_share)


def make_sample(options: SampleOptions) -> Dataset:
    """Simulate news, readers and impressions.

    Raises:
        UsageError: the shares of new and empty users are more than all users.
    """
    if options.new + options.empty > 1:
        raise UsageError(f"new = {options.new} and empty = {options.empty} are more than all users")
    news = _draw_news(Draws(options.seed, 0), options.news)
    readers = draw_readers(
        Draws(options.seed, 1), options.users, _TOPIC_CATEGORIES, new=options.new, empty=options.empty
    )
    counts = {split: getattr(options, split) for split in SPLIT_DAYS}
    impressions = draw_impressions(options.seed, counts, news, readers)
    return assemble(
        _news_frame(Draws(options.seed, 2), news, options.teasers),
        _behaviors_frame(impressions, readers),
        source={"reader": "sample", **attrs.asdict(options)},
    )


def _draw_news(draws: Draws, count: int) -> list[SampleNews]:
    """News in the order of their publication; every topic has about as many."""
    topics = draws.shuffled([number % len(TOPICS) for number in range(count)])
    days = sorted(draws.uniform() * DAYS for _ in range(count))
    return [
        # The sum of twelve uniform numbers is close enough to a normal one, and the same on every machine.
        SampleNews(topic, _TOPIC_CATEGORIES[topic], day, sum(draws.uniform() for _ in range(12)) - 6)
        for topic, day in zip(topics, days, strict=True)
    ]


def _news_frame(draws: Draws, news: Sequence[SampleNews], teasers: float) -> pl.DataFrame:
    texts = [write_text(draws, TOPICS[item.topic], teasers=teasers) for item in news]
    return pl.DataFrame(
        {
            "id": [f"N{number}" for number in range(1, len(news) + 1)],
            "category": [TOPICS[item.topic][0] for item in news],
            "subcategory": [TOPICS[item.topic][1] for item in news],
            "title": [text.title for text in texts],
            "abstract": [text.abstract for text in texts],
            "title_entities": ["[]"] * len(news),
            "abstract_entities": ["[]"] * len(news),
        }
    )


def _behaviors_frame(impressions: Sequence[Impression], readers: Sequence[Reader]) -> pl.DataFrame:
    numbers = range(1, len(impressions) + 1)
    return pl.DataFrame(
        {
            "impression": [str(number) for number in numbers],
            "split": [impression.visit.split for impression in impressions],
            "user": [readers[impression.visit.user].user for impression in impressions],
            "time": [
                FIRST_DAY + timedelta(seconds=int(impression.visit.day * SECONDS_A_DAY)) for impression in impressions
            ],
            "history": [[f"N{news + 1}" for news in impression.visit.history] for impression in impressions],
            "candidates": [[f"N{news + 1}" for news in impression.candidates] for impression in impressions],
            "labels": [list(impression.labels) for impression in impressions],
            "file": ["sample"] * len(impressions),
            "line": list(numbers),
        },
        schema_overrides={
            "time": pl.Datetime("us"),
            "history": pl.List(pl.String),
            "labels": pl.List(pl.UInt8),
        },
    )
