"""Random news and readers as lists, and the same as a padded batch with garbage wherever the contracts allow it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from genre.modeling.batches import Batch, ReaderBatch
from genre.modeling.settings import FeatureSettings
from genre.modeling.vocabulary import Vocabulary
from genre.parts import FieldBatch
from reference.shared import News, Reader

SIZE, WIDTH = 9, 7
SETTINGS = FeatureSettings(entities={"title_entities": 4, "abstract_entities": 4}, vectors=("cover",))
_KNOWN = tuple(str(number) for number in range(1, SIZE))
_WORDS = {"type": "WordLevel", "vocab": {str(number): number for number in range(SIZE)}, "unk_token": "0"}
VOCABULARY = Vocabulary(
    {"words": json.dumps({"version": "1.0", "model": _WORDS})},
    dict.fromkeys(SETTINGS.categories, _KNOWN),
    _KNOWN,
    {"topics": _KNOWN, "regions": _KNOWN},
    _KNOWN,
    {"cover": WIDTH},
)


@dataclass(frozen=True)
class World:
    """Each reader has candidates of its own."""

    news: list[News]
    readers: list[Reader]
    candidates: list[list[int]]


def random_world(random: np.random.Generator, *, news: int, clicks: Sequence[int], candidates: Sequence[int]) -> World:
    """`clicks`, `candidates`: how many each reader has. The first news has no field, the first reader nothing known."""

    def ids(most: int, *, none: bool = False) -> list[int]:
        count = 0 if none or random.random() < 0.3 else random.integers(1, most, endpoint=True)
        return random.integers(1, SIZE, count).tolist()

    def one(number: int) -> News:
        bare = number == 0
        return News(
            {"title": ids(8, none=bare), "abstract": ids(12, none=bare)},
            {name: next(iter(ids(1, none=bare)), None) for name in SETTINGS.categories},
            {name: ids(4, none=bare) for name in SETTINGS.entities},
            {"cover": random.normal(size=WIDTH).astype(np.float32) if ids(1, none=bare) else None},
        )

    readers = [
        Reader(
            random.integers(0, news, count).tolist(),
            next(iter(ids(1, none=not i)), 0),
            ids(4, none=not i),
            ids(3, none=not i),
        )
        for i, count in enumerate(clicks)
    ]
    shown = [random.integers(0, news, count).tolist() for count in candidates]
    return World([one(number) for number in range(news)], readers, shown)


def batch_of(world: World, random: np.random.Generator, dtype: torch.dtype) -> Batch:
    """The news in two portions, of unequal widths. Every row has padding."""

    def padded(rows: Sequence[Sequence[int]], size: int) -> tuple[torch.Tensor, torch.Tensor]:
        width = max(map(len, rows)) + int(random.integers(1, 4))
        values = random.integers(0, size, (len(rows), width))
        for row, real in zip(values, rows, strict=True):
            row[: len(real)] = real
        mask = np.arange(width) < np.array([len(row) for row in rows])[:, None]
        return torch.from_numpy(values), torch.from_numpy(mask)

    def portion(news: list[News]) -> dict[str, FieldBatch]:
        lists = [{**each.texts, **each.entities} for each in news]
        fields = {name: FieldBatch(*padded([each[name] for each in lists], SIZE)) for name in lists[0]}
        for name in SETTINGS.categories:
            values, mask = padded([[each.categories[name]] if each.categories[name] else [] for each in news], SIZE)
            fields[name] = FieldBatch(values[:, :1], mask[:, :1])
        covers = [each.vectors["cover"] for each in news]
        rows = np.array([np.full(WIDTH, np.nan) if each is None else each for each in covers])
        present = torch.tensor([each is not None for each in covers])[:, None]
        return {**fields, "cover": FieldBatch(torch.tensor(rows, dtype=dtype), present)}

    cut = (len(world.news) + 1) // 2
    history, history_mask = padded([reader.clicks for reader in world.readers], len(world.news))
    candidates, mask = padded(world.candidates, len(world.news))
    return Batch(
        news=tuple(portion(part) for part in (world.news[:cut], world.news[cut:]) if part),
        readers=ReaderBatch(
            history,
            history_mask,
            torch.tensor([reader.user for reader in world.readers]),
            {kind: padded([getattr(reader, kind) for reader in world.readers], 1)[0] for kind in ("topics", "regions")},
        ),
        candidates=candidates,
        mask=mask,
        labels=torch.zeros(mask.shape),
    )
