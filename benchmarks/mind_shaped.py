"""Data of the shape of MIND-small, in MIND's files, from a seed: what training and evaluation are measured on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

_WORDS: Final = 40_000
_CATEGORIES: Final = 17
_SUBCATEGORIES: Final = 264
_SECONDS_A_DAY: Final = 86_400


@attrs.frozen
class Shape:
    """Sizes; the defaults are those of MIND-small, with fewer dev impressions.

    Attributes:
        title, abstract: mean words.
        history, candidates: mean clicks of a reader, and mean news of an impression.
    """

    news: int = 51_282
    users: int = 50_000
    train: int = 50_000
    dev: int = 20_000
    title: float = 11.0
    abstract: float = 35.0
    history: float = 32.0
    candidates: float = 37.0


def write_mind_shaped(folder: Path, shape: Shape | None = None, *, seed: int = 0) -> None:
    """Write `train` and `dev`, each with `news.tsv` and `behaviors.tsv`.

    Words and clicks are Zipf distributed, lengths of histories and impressions log-normal; nothing can be learnt.
    """
    shape = shape or Shape()
    random = np.random.default_rng(seed)
    news = _news_lines(shape, random)
    site = _Site.opened(shape, random)
    for day, (split, count) in enumerate((("train", shape.train), ("dev", shape.dev)), start=14):
        place = folder / split
        place.mkdir(parents=True, exist_ok=True)
        (place / "news.tsv").write_text(news, encoding="utf-8")
        (place / "behaviors.tsv").write_text("".join(site.impressions(count, day)), encoding="utf-8")


def _zipf(size: int, exponent: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Cumulative shares of so many things, in no order."""
    shares = (np.arange(size) + 3.0) ** -exponent
    random.shuffle(shares)
    return np.cumsum(shares / shares.sum())


def _drawn(cumulative: NDArray[np.float64], count: int, random: np.random.Generator) -> NDArray[np.int64]:
    return np.minimum(np.searchsorted(cumulative, random.random(count)), len(cumulative) - 1)


def _lengths(mean: float, spread: float, most: int, count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Log-normal whole numbers from 1 with about this mean."""
    drawn = random.lognormal(np.log(mean) - spread**2 / 2, spread, count)
    return np.clip(np.rint(drawn), 1, most).astype(np.int64)


def _news_lines(shape: Shape, random: np.random.Generator) -> str:
    words = np.array([f"w{number}" for number in range(_WORDS)])
    frequencies = _zipf(_WORDS, 1.05, random)

    def texts(mean: float, most: int) -> list[str]:
        lengths = _lengths(mean, 0.35, most, shape.news, random)
        drawn = words[_drawn(frequencies, int(lengths.sum()), random)]
        return [" ".join(each) for each in np.split(drawn, np.cumsum(lengths)[:-1])]

    titles, abstracts = texts(shape.title, 40), texts(shape.abstract, 120)
    subcategories = random.integers(_SUBCATEGORIES, size=shape.news)
    rows = zip(range(shape.news), subcategories, titles, abstracts, strict=True)
    return "".join(
        f"N{number}\tcategory{sub % _CATEGORIES}\tsub{sub}\t{title}\t{abstract}\thttps://example.org/{number}\t[]\t[]\n"
        for number, sub, title, abstract in rows
    )


@attrs.frozen(eq=False)
class _Site:
    """Readers and what they click.

    Attributes:
        popularity: cumulative shares of the news in all clicks.
        histories: each user's clicks; some users have none.
    """

    shape: Shape
    random: np.random.Generator
    popularity: NDArray[np.float64]
    histories: list[str]

    @classmethod
    def opened(cls, shape: Shape, random: np.random.Generator) -> Self:
        popularity = _zipf(shape.news, 1.0, random)
        lengths = _lengths(shape.history, 1.0, 400, shape.users, random)
        lengths[random.random(shape.users) < 0.02] = 0
        clicks = _drawn(popularity, int(lengths.sum()), random)
        histories = [" ".join(f"N{news}" for news in each) for each in np.split(clicks, np.cumsum(lengths)[:-1])]
        return cls(shape, random, popularity, histories)

    def impressions(self, count: int, day: int) -> Iterator[str]:
        """The lines of one day."""
        random = self.random
        lengths = np.maximum(_lengths(self.shape.candidates, 0.95, 290, count, random), 2)
        shown = np.split(_drawn(self.popularity, int(lengths.sum()), random), np.cumsum(lengths)[:-1])
        users = random.integers(self.shape.users, size=count)
        seconds = np.sort(random.integers(_SECONDS_A_DAY, size=count))
        for number, (user, second, candidates) in enumerate(zip(users, seconds, shown, strict=True), start=1):
            hour, minute = divmod(int(second) // 60, 60)
            time = f"11/{day}/2019 {hour % 12 or 12}:{minute:02}:{second % 60:02} {'AM' if hour < 12 else 'PM'}"
            yield f"{number}\tU{user}\t{time}\t{self.histories[user]}\t{self._labelled(candidates)}\n"

    def _labelled(self, candidates: NDArray[np.int64]) -> str:
        """Distinct candidates in no order, of which one or two are clicked."""
        distinct = np.unique(candidates)
        if len(distinct) < 2:
            distinct = np.array([distinct[0], (distinct[0] + 1) % self.shape.news])
        self.random.shuffle(distinct)
        clicked = 1 if self.random.random() < 0.75 else min(2, len(distinct) - 1)
        return " ".join(f"N{news}-{int(rank < clicked)}" for rank, news in enumerate(distinct))
