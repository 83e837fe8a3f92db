"""What models wrote, side by side with what they read. Chosen by a hash of ids: nobody picks what looks well."""

import hashlib
import heapq
from collections.abc import Iterable, Sequence
from typing import Final

import attrs
import polars as pl

from genre.dataset import Dataset

TEXTS: Final = 6
READERS: Final = 3
_HISTORY: Final = 6
_SYNTHETIC: Final = 4
_CONSIDERED: Final = 100
"""Readers with the smallest hashes, of each variant: those that several variants change are among all of theirs."""


@attrs.frozen
class Source:
    """Who wrote something: a model, in a round."""

    model: str
    round: str


@attrs.frozen
class Rewritten:
    """A text of a news before and after a round, in the variants that have it."""

    news: str
    field: str
    before: str
    after: str
    source: Source
    variants: tuple[str, ...]


@attrs.frozen
class Written:
    """A news that a model made up."""

    title: str
    source: Source


@attrs.frozen
class Profile:
    """A reader's interests of one kind, most related first."""

    kind: str
    values: tuple[str, ...]
    source: Source


@attrs.frozen
class Addition:
    """What variants know of a reader that the reference does not.

    Attributes:
        made: news that a model made up for the reader, of `made_in_all`.
        kept: clicks that encoders read; None for all of them.
    """

    variants: tuple[str, ...]
    profiles: tuple[Profile, ...]
    made: tuple[Written, ...]
    made_in_all: int
    kept: int | None

    @property
    def sources(self) -> list[Source]:
        """Where each part of it comes from."""
        return [*(each.source for each in self.profiles), *(each.source for each in self.made)]


@attrs.frozen
class ReaderExample:
    """A reader, and what variants add.

    Attributes:
        history: titles of the latest clicks, of `clicks`, newest last.
    """

    reader: str
    is_new: bool
    clicks: int
    history: tuple[str, ...]
    additions: tuple[Addition, ...]


def authors(sources: Iterable[Source]) -> dict[str, list[str]]:
    """The rounds of each model that wrote something."""
    rounds: dict[str, list[str]] = {}
    for each in dict.fromkeys(sources):
        rounds.setdefault(each.model, []).append(each.round)
    return rounds


def order(identity: str) -> bytes:
    """Where something stands in the order in which examples are taken: by a hash that knows nothing of its contents."""
    return hashlib.blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def title_field(dataset: Dataset) -> str | None:
    """The text that stands for a news: its title, or else the first text that there is."""
    fields = dataset.text_fields
    return "title" if "title" in fields else next(iter(fields), None)


def titles(dataset: Dataset, positions: Iterable[int]) -> dict[int, str]:
    """Titles of news as they were first written, by position; the id where there is none."""
    wanted = pl.Series(sorted(set(positions)), dtype=pl.UInt32)
    rows = dataset.texts.filter(pl.col("field") == title_field(dataset), pl.col("news").is_in(wanted.implode()))
    found = dict(rows.unique("news", keep="first", maintain_order=True).select("news", "text").iter_rows())
    ids = dict(zip(wanted, dataset.news["id"].gather(wanted), strict=True))
    return {position: found.get(position) or ids[position] for position in ids}


def rewritten_texts(variant: str, dataset: Dataset) -> list[Rewritten]:
    """Texts of original news that a round wrote anew: the newest version of each, first ones by hash."""
    original = dataset.news.with_row_index("news").filter(pl.col("origin") == "original").select("news", "id")
    rows = dataset.texts.join(original, on="news", how="inner", maintain_order="left")
    written = rows.filter(pl.col("version") != "original").unique(["news", "field"], keep="last", maintain_order=True)
    before = rows.filter(pl.col("version") == "original").select("news", "field", before="text")
    pairs = written.join(before, on=["news", "field"], how="left", maintain_order="left")
    chosen = _first(pairs, ["id", "field"], TEXTS).iter_rows(named=True)
    return [
        Rewritten(
            row["id"],
            row["field"],
            row["before"] or "",
            row["text"],
            Source(row["model"], row["version"]),
            (variant,),
        )
        for row in chosen
    ]


def changed_readers(variant: str, dataset: Dataset) -> list[ReaderExample]:
    """Readers of whom a round says more than their clicks, or less of them; first ones by hash."""
    readers = dataset.readers.with_row_index("reader")
    touched = readers.filter(
        pl.col("reader").is_in(dataset.interests["reader"].unique().implode())
        | (pl.col("history").list.len() > pl.col("clicks"))
        | pl.col("kept").is_not_null()
    )
    rows = _first(touched, ["id"], _CONSIDERED).to_dicts()
    places = pl.Series([row["reader"] for row in rows], dtype=pl.UInt32)
    interests = dataset.interests.filter(pl.col("reader").is_in(places.implode())).partition_by(
        "reader", as_dict=True, maintain_order=True
    )
    shown = {
        row["reader"]: (
            row["history"][: row["clicks"]][-_HISTORY:],
            row["history"][row["clicks"] :][:_SYNTHETIC],
        )
        for row in rows
    }
    positions = [position for latest, made in shown.values() for position in [*latest, *made]]
    named, sources = titles(dataset, positions), _sources(dataset, positions)
    examples = []
    for row in rows:
        latest, made = shown[row["reader"]]
        addition = Addition(
            variants=(variant,),
            profiles=_profiles(interests.get((row["reader"],))),
            made=tuple(Written(named[each], sources.get(each, Source("", ""))) for each in made),
            made_in_all=len(row["history"]) - row["clicks"],
            kept=None if row["kept"] is None else len(row["kept"]),
        )
        is_new = bool(dataset.is_new[row["reader"]])
        examples.append(
            ReaderExample(row["id"], is_new, row["clicks"], tuple(named[each] for each in latest), (addition,))
        )
    return examples


def chosen_texts(of_variants: Sequence[Sequence[Rewritten]]) -> list[Rewritten]:
    """Of all variants' texts those with the smallest hashes; the same text in several variants is one example."""
    merged: dict[tuple[object, ...], Rewritten] = {}
    for each in (text for texts in of_variants for text in texts):
        key = (each.news, each.field, each.before, each.after, each.source)
        known = merged.get(key)
        merged[key] = each if known is None else attrs.evolve(known, variants=known.variants + each.variants)
    ordered = sorted(merged.values(), key=lambda each: order(f"{each.news} {each.field}"))
    return ordered[:TEXTS]


def chosen_readers(of_variants: Sequence[Sequence[ReaderExample]]) -> list[ReaderExample]:
    """Readers that most variants change, first ones by hash, with what each variant adds; equal additions once."""
    merged: dict[str, list[ReaderExample]] = {}
    for each in (reader for readers in of_variants for reader in readers):
        merged.setdefault(each.reader, []).append(each)
    ordered = sorted(merged.values(), key=lambda members: (-len(members), order(members[0].reader)))
    return [
        attrs.evolve(members[0], additions=_merged([each.additions[0] for each in members]))
        for members in ordered[:READERS]
    ]


def _merged(additions: Sequence[Addition]) -> tuple[Addition, ...]:
    found: dict[Addition, tuple[str, ...]] = {}
    for each in additions:
        key = attrs.evolve(each, variants=())
        found[key] = found.get(key, ()) + each.variants
    return tuple(attrs.evolve(addition, variants=variants) for addition, variants in found.items())


def _profiles(interests: pl.DataFrame | None) -> tuple[Profile, ...]:
    """The newest version of each kind, as encoders read them."""
    if interests is None:
        return ()
    profiles = []
    for (kind,), rows in interests.partition_by("kind", as_dict=True, maintain_order=True).items():
        newest = rows.filter(pl.col("version") == rows["version"][-1]).sort("rank")
        source = Source(str(newest["model"][0]), str(newest["version"][0]))
        profiles.append(Profile(str(kind), tuple(newest["value"]), source))
    return tuple(profiles)


def _sources(dataset: Dataset, positions: Sequence[int]) -> dict[int, Source]:
    """Who wrote the first text of each news."""
    wanted = pl.Series(sorted(set(positions)), dtype=pl.UInt32)
    rows = dataset.texts.filter(pl.col("news").is_in(wanted.implode())).unique(
        "news", keep="first", maintain_order=True
    )
    return {
        news: Source(model, version) for news, model, version in rows.select("news", "model", "version").iter_rows()
    }


def _first(rows: pl.DataFrame, by: Sequence[str], most: int) -> pl.DataFrame:
    hashes = [order(" ".join(key)) for key in rows.select(by).iter_rows()]
    return rows[heapq.nsmallest(most, range(len(hashes)), key=hashes.__getitem__)]
