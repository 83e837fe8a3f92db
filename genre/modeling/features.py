"""From a data set to arrays: texts as token ids, readers' histories and interests, candidates and labels.

Token ids are made once for each (data set, settings, vocabulary) and memory-mapped after that.
"""

import hashlib
from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Final

import attrs
import numpy as np
import polars as pl
from numpy.typing import NDArray

from genre.dataset import Dataset
from genre.errors import UsageError, nearest
from genre.modeling.cache import damaged, mapped
from genre.modeling.entities import news_entities
from genre.modeling.ragged import Ragged
from genre.modeling.settings import FeatureSettings
from genre.modeling.vocabulary import INTERESTS, Vocabulary, build_vocabulary, news_text, read_tokenizer
from genre.parts import WORDS, FieldSpec, PretrainedEmbedding, canonical_json
from genre.staging import staged_folder

_FORMAT: Final = 3
_VOCABULARY: Final = "vocabulary.json"


@attrs.frozen(eq=False)
class NewsFeatures:
    """What encoders see of N news.

    Attributes:
        texts: token ids of each text field, N lists.
        categories: ids of each categorical field (N,).
        entities: entity ids of each entity field, N lists.
        vectors: each dense field's vectors (N, V), and which news have one (N,).
        states: what a frozen encoder made of a text field's tokens (T, E), one row a token.
    """

    texts: Mapping[str, Ragged]
    categories: Mapping[str, NDArray[np.int32]]
    entities: Mapping[str, Ragged] = attrs.field(factory=dict)
    vectors: Mapping[str, tuple[NDArray[np.float32], NDArray[np.bool_]]] = attrs.field(factory=dict)
    states: Mapping[str, NDArray[np.float16]] = attrs.field(factory=dict)


@attrs.frozen(eq=False)
class ReaderFeatures:
    """What encoders see of R readers.

    Attributes:
        history: news positions, oldest first, the latest `history_length`.
        user: user ids (R,); 0 for a user not seen in training.
        interests: ids of each kind of interests; those not seen in training are left out.
    """

    history: Ragged
    user: NDArray[np.int32]
    interests: Mapping[str, Ragged]


@attrs.frozen(eq=False)
class SplitFeatures:
    """The I impressions of a split, with T candidates in all.

    Attributes:
        impressions: row positions in `Dataset.impressions` (I,).
        readers: reader positions (I,).
        candidates: news positions, I lists.
        labels: 1 for a click (T,); 0 in an unlabelled impression.
        labelled: whether an impression has labels (I,).
    """

    impressions: NDArray[np.int64]
    readers: NDArray[np.int64]
    candidates: Ragged
    labels: NDArray[np.int64]
    labelled: NDArray[np.bool_]


@attrs.frozen(eq=False)
class Features:
    """A data set as a model sees it. Rows of news and readers are those of the data set."""

    dataset: Dataset
    settings: FeatureSettings
    vocabulary: Vocabulary
    news: NewsFeatures

    @cached_property
    def readers(self) -> ReaderFeatures:
        """What encoders see of the readers."""
        readers = self.dataset.readers
        interests = {kind: _interest_ids(self.dataset, kind, self.vocabulary.interests[kind]) for kind in INTERESTS}
        return ReaderFeatures(
            history=Ragged.from_series(self.dataset.encoder_history).last(self.settings.history_length),
            user=_ids(readers["user"], self.vocabulary.users),
            interests=interests,
        )

    @cached_property
    def generated(self) -> NDArray[np.bool_]:
        """Which news an LLM made (N,)."""
        return (self.dataset.news["origin"] == "generated").to_numpy()

    def split(self, name: str) -> SplitFeatures:
        """The impressions of a split.

        Raises:
            UsageError: there is no such split, or an impression has more or fewer labels than candidates.
        """
        return split_features(self.dataset, name)


def split_features(dataset: Dataset, name: str) -> SplitFeatures:
    """The impressions of a split.

    Raises:
        UsageError: there is no such split, or an impression has more or fewer labels than candidates.
    """
    rows = dataset.impressions.with_row_index("row").filter(pl.col("split") == name)
    if not rows.height:
        raise UsageError(f"there is no split {name!r}", remedy=nearest(name, dataset.splits))
    labelled = rows["labels"].is_not_null()
    differs = labelled & (rows["labels"].list.len() != rows["candidates"].list.len())
    if differs.any():
        raise UsageError(
            f"the impression {rows.filter(differs)['id'][0]!r} has more or fewer labels than candidates",
            remedy="import the data set again",
        )
    candidates = Ragged.from_series(rows["candidates"])
    labels = np.zeros(len(candidates.values), dtype=np.int64)
    known = rows["labels"].drop_nulls().explode(empty_as_null=False)
    labels[labelled.to_numpy()[candidates.rows]] = known.to_numpy()
    return SplitFeatures(
        impressions=rows["row"].to_numpy().astype(np.int64),
        readers=rows["reader"].to_numpy().astype(np.int64),
        candidates=candidates,
        labels=labels,
        labelled=labelled.to_numpy(),
    )


def prepare_features(
    dataset: Dataset, settings: FeatureSettings, *, vocabulary: Vocabulary | None = None, cache: Path | None = None
) -> Features:
    """Features of a data set, from the cache when they were made before.

    Args:
        vocabulary: ids of a model that was trained before; by default they are learned from the train split.
        cache: folder that holds a folder for each (data set, settings, vocabulary); None to keep arrays in memory.

    Raises:
        UsageError: a field, version or split does not exist, or the cache is damaged.
    """
    _check_vectors(dataset, settings, vocabulary)
    if cache is None:
        vocabulary = vocabulary or build_vocabulary(dataset, settings)
        return Features(dataset, settings, vocabulary, _encode_news(dataset, settings, vocabulary))
    folder = cache / _cache_key(dataset, settings, vocabulary)
    if not folder.is_dir():
        vocabulary = vocabulary or build_vocabulary(dataset, settings)
        _store(folder, vocabulary, _encode_news(dataset, settings, vocabulary), settings)
    if vocabulary is None:
        path = folder / _VOCABULARY
        vocabulary = Vocabulary.from_json(_read(path), where=path)
    return Features(dataset, settings, vocabulary, _map(folder, settings))


def file_state(path: str | None) -> list[int] | None:
    """What changes when a file does, without reading gigabytes of it; None for a file that is not there."""
    if path is None or not Path(path).is_file():
        return None
    state = Path(path).stat()
    return [state.st_size, state.st_mtime_ns]


def field_specs(
    vocabulary: Vocabulary, settings: FeatureSettings, word_vectors: PretrainedEmbedding | None = None
) -> tuple[FieldSpec, ...]:
    """The fields that encoders are told of, in the order of `FeatureSettings.field_kinds`.

    Args:
        word_vectors: of the vocabulary's words, for fields that are read as words.
    """
    if word_vectors is None and vocabulary.word_width is not None:
        word_vectors = PretrainedEmbedding(vocabulary.word_width)
    specs = []
    for name, length in settings.texts.items():
        tokenizer = settings.tokenizers.get(name, WORDS)
        pretrained = word_vectors if tokenizer == WORDS else None
        specs.append(FieldSpec(name, "text", vocabulary.token_count(tokenizer), length, pretrained))
    specs += [FieldSpec(name, "category", len(vocabulary.categories[name]) + 1) for name in settings.categories]
    specs += [
        FieldSpec(name, "entities", len(vocabulary.entities) + 1, length) for name, length in settings.entities.items()
    ]
    specs += [FieldSpec(name, "vector", vocabulary.vector_widths[name]) for name in settings.vectors]
    return tuple(specs)


def _check_vectors(dataset: Dataset, settings: FeatureSettings, vocabulary: Vocabulary | None) -> None:
    for field in settings.vectors:
        if field not in dataset.vector_fields:
            raise UsageError(
                f"no news has vectors {field!r}",
                where="vectors",
                remedy=f"import the data set with a file of them ({nearest(field, dataset.vector_fields)})",
            )
        width = dataset.vector_width(field)
        if vocabulary is not None and vocabulary.vector_widths.get(field) != width:
            raise UsageError(
                f"the vectors {field!r} have {width} numbers, and the model was trained with "
                f"{vocabulary.vector_widths.get(field)}",
                where="vectors",
                remedy="import the data set with vectors of the same model",
            )


def _encode_news(dataset: Dataset, settings: FeatureSettings, vocabulary: Vocabulary) -> NewsFeatures:
    texts = {
        field: vocabulary.tokens(
            news_text(dataset, field, settings.text_version), length, settings.tokenizers.get(field, WORDS)
        )
        for field, length in settings.texts.items()
    }
    categories: dict[str, NDArray[np.int32]] = {
        field: _ids(dataset.news[field], vocabulary.categories[field]) for field in settings.categories
    }
    entities: dict[str, Ragged] = {
        field: _entity_ids(dataset, field, vocabulary).first(length) for field, length in settings.entities.items()
    }
    vectors = {field: dataset.vectors_of(field) for field in settings.vectors}
    return NewsFeatures(texts, categories, entities, vectors)


def _entity_ids(dataset: Dataset, field: str, vocabulary: Vocabulary) -> Ragged:
    """Ids of each news's known entities."""
    ids = {entity: number for number, entity in enumerate(vocabulary.entities, start=1)}
    rows = [[ids[entity] for entity in entities if entity in ids] for entities in news_entities(dataset, field)]
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    return Ragged.from_lengths(np.fromiter(chain.from_iterable(rows), np.int32, int(lengths.sum())), lengths)


def _ids(values: pl.Series, known: tuple[str, ...]) -> NDArray[np.int32]:
    """1 + the place of each value in `known`, or 0."""
    ids = pl.DataFrame({"value": known, "id": range(1, len(known) + 1)}, schema={"value": pl.String, "id": pl.Int32})
    joined = values.alias("value").to_frame().join(ids, on="value", how="left", maintain_order="left")
    return joined["id"].fill_null(0).to_numpy()


def _interest_ids(dataset: Dataset, kind: str, known: tuple[str, ...]) -> Ragged:
    rows = dataset.interests_of(kind)  # ordered by reader and rank
    ids = _ids(rows["value"], known)
    readers = rows["reader"].to_numpy()[ids != 0]
    return Ragged.from_lengths(ids[ids != 0], np.bincount(readers, minlength=dataset.readers.height))


# -- the cache ------------------------------------------------------------------------------------------------------


def _cache_key(dataset: Dataset, settings: FeatureSettings, vocabulary: Vocabulary | None) -> str:
    source = {
        "format": _FORMAT,
        "dataset": dataset.fingerprint,
        "settings": attrs.asdict(settings),
        "texts": [*settings.texts, *settings.entities],  # their order names the files, and canonical JSON sorts keys
        "vocabulary": vocabulary.fingerprint if vocabulary else None,
        # What the files say decides, not where they are.
        "tokenizers": [] if vocabulary else [read_tokenizer(Path(path)) for path in settings.tokenizers.values()],
        "word_vectors": None if vocabulary else file_state(settings.word_vectors),
    }
    return hashlib.blake2b(canonical_json(source).encode(), digest_size=16).hexdigest()


def _store(folder: Path, vocabulary: Vocabulary, news: NewsFeatures, settings: FeatureSettings) -> None:
    """Write the folder, whole or not at all."""
    with staged_folder(folder, "prepared features", existing="keep") as staging:
        # Files are numbered: a field's name is data, and data never becomes a path.
        for kind, fields in (("text", news.texts), ("entities", news.entities)):
            for number, ragged in enumerate(fields.values()):
                np.save(staging / f"{kind}{number}.values.npy", ragged.values)
                np.save(staging / f"{kind}{number}.offsets.npy", ragged.offsets)
        for number, field in enumerate(settings.categories):
            np.save(staging / f"category{number}.npy", news.categories[field])
        for number, (vectors, present) in enumerate(news.vectors.values()):
            np.save(staging / f"vector{number}.npy", vectors)
            np.save(staging / f"vector{number}.present.npy", present)
        (staging / _VOCABULARY).write_text(vocabulary.to_json(), encoding="utf-8")


def _map(folder: Path, settings: FeatureSettings) -> NewsFeatures:
    def ragged(kind: str, fields: Iterable[str]) -> dict[str, Ragged]:
        names = {field: f"{kind}{number}" for number, field in enumerate(fields)}
        return {
            field: Ragged(
                mapped(folder / f"{name}.values.npy", np.int32), mapped(folder / f"{name}.offsets.npy", np.int64)
            )
            for field, name in names.items()
        }

    categories: dict[str, NDArray[np.int32]] = {
        field: mapped(folder / f"category{number}.npy", np.int32) for number, field in enumerate(settings.categories)
    }
    vectors = {
        field: (
            mapped(folder / f"vector{number}.npy", np.float32),
            mapped(folder / f"vector{number}.present.npy", np.bool_),
        )
        for number, field in enumerate(settings.vectors)
    }
    return NewsFeatures(ragged("text", settings.texts), categories, ragged("entities", settings.entities), vectors)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise damaged(path, str(error)) from error
