"""From Adressa's events to impressions: the log says what was opened, not what was shown."""

import hashlib
from collections.abc import Iterator, Sequence, Set
from typing import Final

import attrs

from genre_datasets.adressa_events import Events
from genre_datasets.draws import Draws

_HOUR: Final = 3_600
_DAY: Final = 24 * _HOUR


@attrs.frozen
class Rules:
    """How impressions are made.

    Attributes:
        seed: seed of the draws.
        negatives: candidates beside the click.
        session_minutes: a longer pause of a user begins a new session.
        pool_hours: negatives are articles that somebody opened in so many full hours before the click's.
        longest_history: so many latest articles stay in a history.
        days: last day of each split, counted from the log's first one, which is 1; the history's under "".
    """

    seed: int
    negatives: int
    session_minutes: int
    pool_hours: int
    longest_history: int
    days: dict[str, int]

    def split_of(self, day: int) -> str | None:
        """The split of a day, counted from 1; None after the last one, and empty for the history's."""
        return next((split for split, last in self.days.items() if day <= last), None)


@attrs.frozen
class Impression:
    """A click and what else might have been shown. Articles are places in `Events.articles`.

    Attributes:
        event: number of the click's event.
        candidates: empty where nothing else could have been shown.
        click: the candidate that was clicked.
    """

    event: int
    split: str
    history: tuple[int, ...]
    candidates: Sequence[int]
    click: int


def make_impressions(events: Events, rules: Rules) -> Iterator[Impression]:
    """Impressions in the order of their clicks.

    A user's history is what the user opened before the session. What stands in it, or was opened earlier in the
    session, makes no further impression.
    """
    if not events.time.size:
        return
    first_day = int(events.time[0]) // _DAY
    readers: dict[int, _Reader] = {}
    pools = _Pools(rules.pool_hours)
    rows = zip(events.user.tolist(), events.article.tolist(), events.time.tolist(), strict=True)
    for number, (user, article, time) in enumerate(rows):
        reader = readers.setdefault(user, _Reader())
        reader.arrive(time, rules.session_minutes * 60)
        split = rules.split_of(time // _DAY - first_day + 1)
        if split and article not in reader.opened:
            key = f"{events.users[user]}\x1f{events.articles[article]}\x1f{time}"
            draws = Draws(rules.seed, _number(key))
            candidates = _negatives(draws, pools.before(time // _HOUR), {*reader.opened, article}, rules.negatives)
            if candidates:
                candidates.insert(draws.between(0, len(candidates)), article)
            yield Impression(number, split, reader.history[-rules.longest_history :], candidates, article)
        reader.open(article)
        pools.add(time // _HOUR, article)


@attrs.define
class _Reader:
    """What a user opened: before the session (`history`), and at all (`opened`)."""

    history: tuple[int, ...] = ()
    opened: dict[int, None] = attrs.field(factory=dict)
    latest: int = 0

    def arrive(self, time: int, longest_pause: int) -> None:
        """Begin a new session after a pause."""
        if time - self.latest > longest_pause:
            self.history = tuple(self.opened)
        self.latest = time

    def open(self, article: int) -> None:
        """Remember an article, in the order of first visits."""
        self.opened.setdefault(article)


@attrs.frozen(eq=False)
class _Pool:
    """Articles that may be drawn, in the order of their places, and the same as a set."""

    articles: Sequence[int] = ()
    held: Set[int] = frozenset()


class _Pools:
    """The articles that somebody opened in the hours before an hour; hours are asked for in ascending order."""

    def __init__(self, hours: int) -> None:
        self._hours = hours
        self._opened: dict[int, set[int]] = {}
        self._hour, self._pool = -1, _Pool()

    def add(self, hour: int, article: int) -> None:
        """Somebody opened an article."""
        self._opened.setdefault(hour, set()).add(article)

    def before(self, hour: int) -> _Pool:
        """What was opened in the full hours before this one."""
        if self._hour != hour:
            self._opened = {each: held for each, held in self._opened.items() if each >= hour - self._hours}
            found: set[int] = set().union(*(held for each, held in self._opened.items() if each < hour))
            self._hour, self._pool = hour, _Pool(sorted(found), found)
        return self._pool


def _negatives(draws: Draws, pool: _Pool, excluded: Set[int], count: int) -> list[int]:
    """So many distinct articles of the pool, all with the same chance; fewer if there are not so many."""
    eligible = len(pool.articles) - sum(article in pool.held for article in excluded)
    chosen: dict[int, None] = {}
    while len(chosen) < min(count, eligible):
        article = draws.pick(pool.articles)
        if article not in excluded:
            chosen.setdefault(article)
    return list(chosen)


def _number(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest())
