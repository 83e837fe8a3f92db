"""Impressions of the sample: who comes by on which day, what is shown, and what is clicked."""

from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from genre_datasets.draws import Draws
from genre_datasets.sample_readers import Reader, SampleNews, draw_candidates, draw_clicks, draw_history

SPLIT_DAYS: Final = {"train": (14.0, 20.0), "dev": (20.0, 21.0), "test": (21.0, 22.0)}
GROWTH: Final = 4
"""Clicks of the train days that a warm user's history has gained by the test day."""
NEW_ACTIVITY: Final = 0.5
"""Impressions of a new user in the train days, relative to a warm user's."""


@attrs.frozen
class Visit:
    """A user comes by; `day` is the time, in days since the first."""

    split: str
    user: int
    day: float
    history: tuple[int, ...]


@attrs.frozen
class Impression:
    """What the user was shown, and the labels of it."""

    visit: Visit
    candidates: tuple[int, ...]
    labels: tuple[int, ...]

    @property
    def clicks(self) -> list[int]:
        """The candidates that were clicked."""
        return [news for news, label in zip(self.candidates, self.labels, strict=True) if label]


def draw_impressions(
    seed: int, counts: Mapping[str, int], news: Sequence[SampleNews], readers: Sequence[Reader]
) -> list[Impression]:
    """Impressions of all splits, each split's by their days.

    Args:
        counts: number of impressions in each split.
    """
    start_draws = Draws(seed, 3)
    first_day = SPLIT_DAYS["train"][0]
    histories = [tuple(draw_history(start_draws, reader, news, first_day, reader.clicks)) for reader in readers]
    activity = [(NEW_ACTIVITY if reader.is_new else 1.0) * (0.5 + start_draws.uniform()) for reader in readers]
    clicked: list[set[int]] = [set() for _ in readers]
    made: list[Impression] = []
    for number, (split, (start, end)) in enumerate(SPLIT_DAYS.items()):
        if split == "test":
            histories = _grown(histories, readers, made)
        weights = activity if split == "train" else [1.0] * len(readers)
        draws = Draws(seed, 4 + number)
        drawn = []
        for _ in range(counts[split]):
            user = draws.weighted(weights, 1)[0]
            day = start + draws.uniform() * (end - start)
            visit = Visit(split, user, day, histories[user])
            impression = _draw_impression(draws, visit, readers[user], news, clicked[user])
            clicked[user].update(impression.clicks)
            drawn.append(impression)
        made.extend(sorted(drawn, key=lambda impression: (impression.visit.day, impression.visit.user)))
    return made


def _draw_impression(
    draws: Draws, visit: Visit, reader: Reader, news: Sequence[SampleNews], clicked: set[int]
) -> Impression:
    shown = draw_candidates(draws, reader, news, visit.day, history=visit.history, clicked=clicked)
    return Impression(visit, tuple(shown), tuple(draw_clicks(draws, reader, news, visit.day, shown)))


def _grown(
    histories: Sequence[tuple[int, ...]], readers: Sequence[Reader], made: Sequence[Impression]
) -> list[tuple[int, ...]]:
    """Histories on the test day: warm users have gained a few clicks, new users have not come back."""
    clicks: list[list[int]] = [[] for _ in readers]
    for impression in made:
        if impression.visit.split == "train" and not readers[impression.visit.user].is_new:
            clicks[impression.visit.user].extend(impression.clicks)
    return [
        (*history, *tuple(dict.fromkeys(gained))[:GROWTH]) for history, gained in zip(histories, clicks, strict=True)
    ]
