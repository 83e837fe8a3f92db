"""A small data set with planted preferences: each reader likes the words of one category, and clicks accordingly."""

import datetime
import json
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import polars as pl

from genre.dataset import Dataset, assemble

CATEGORIES: Final = ("sports", "finance", "health", "travel")
WORDS: Final = {
    "sports": "match goal team coach league player striker",
    "finance": "market stock bank fund rate bond investor",
    "health": "doctor vaccine diet sleep clinic heart patient",
    "travel": "beach flight hotel island train museum tour",
}

_COVER_WIDTH: Final = 6


def planted_dataset(
    *, users: int = 120, news: int = 80, impressions: int = 2, candidates: int = 5, seed: int = 0
) -> Dataset:
    """Readers of one category each; one click an impression. Every news is shown and clicked about equally often.

    Half of the news have no abstract, a quarter no entity and no `cover`, a dense vector. The last impression of each
    reader is in the split `dev`, the others in `train`.
    """
    random = np.random.default_rng(seed)
    table = pl.DataFrame([_news(number, random) for number in range(news)])
    ids = table["id"].to_list()
    of_category = [[i for i in range(news) if i % len(CATEGORIES) == c] for c in range(len(CATEGORIES))]
    rows: list[dict[str, object]] = []
    for user in range(users):
        liked = user % len(CATEGORIES)
        history = random.choice(of_category[liked], size=int(random.integers(2, 9)), replace=False)
        for number in range(impressions):
            split = "dev" if number == impressions - 1 else "train"
            shown = [int(random.choice(of_category[c])) for c in range(len(CATEGORIES))]
            shown += random.choice(of_category[(liked + 1) % len(CATEGORIES)], size=candidates - 4).tolist()
            order = random.permutation(len(shown))
            rows.append(
                {
                    "impression": f"{user}-{number}",
                    "split": split,
                    "user": f"U{user}",
                    "time": datetime.datetime(2019, 11, 9),
                    "history": [ids[i] for i in history],
                    "candidates": [ids[shown[i]] for i in order],
                    "labels": [int(i == liked) for i in order],
                    "file": "behaviors.tsv",
                    "line": len(rows) + 1,
                }
            )
    covered = [number for number in range(news) if number % 4]
    covers = random.normal(size=(len(covered), _COVER_WIDTH))
    for row, number in enumerate(covered):
        covers[row, number % len(CATEGORIES)] += 2.0
    return assemble(table, pl.DataFrame(rows), source={"reader": "planted"}).with_vectors(
        "cover", [ids[number] for number in covered], covers.astype(np.float32)
    )


def with_topics(dataset: Dataset, topics: Mapping[int, Sequence[str]], version: str = "profiles") -> Dataset:
    """The data set with topics of some readers, by position."""
    rows = [
        {"reader": reader, "kind": "topics", "version": version, "model": "test", "rank": rank, "value": value}
        for reader, values in topics.items()
        for rank, value in enumerate(values)
    ]
    return dataset.with_interests(pl.DataFrame(rows))


def _news(number: int, random: np.random.Generator) -> dict[str, str]:
    category = CATEGORIES[number % len(CATEGORIES)]
    words = random.choice(WORDS[category].split(), size=int(random.integers(2, 6)))
    return {
        "id": f"N{number}",
        "category": category,
        "subcategory": f"{category}-{number % 3}",
        "title": " ".join(words),
        "abstract": " ".join(words[::-1]) if number % 2 else "",
        "title_entities": json.dumps([{"WikidataId": f"Q-{word}"} for word in words]) if number % 4 else "",
    }
