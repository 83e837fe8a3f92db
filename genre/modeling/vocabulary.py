"""What ids mean: words, categories, users and interests of the train split. Kept as JSON, never pickled."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Final

import attrs
import numpy as np
import polars as pl
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from genre.dataset import Dataset
from genre.errors import UsageError, nearest
from genre.modeling.entities import news_entities
from genre.modeling.ragged import Ragged
from genre.modeling.settings import FeatureSettings
from genre.modeling.word_vectors import word_vectors_width
from genre.parts import WORDS, canonical_json

INTERESTS: Final = ("topics", "regions")
"""Kinds of interests that are fused (equation 1)."""

USUAL_TEXTS: Final = ("title", "abstract")
"""Fields that may be asked for even when no news has them: MIND's abstracts, for one, can all be empty."""

_FORMAT: Final = 2
_TEXTS_AT_A_TIME: Final = 10_000


@attrs.frozen(eq=False)
class Vocabulary:
    """Ids of everything that a model embeds. Id 0 is always "none, or not seen in training".

    Attributes:
        tokenizers: what makes token ids, as JSON texts of the `tokenizers` library: `words`, and any that
            `FeatureSettings.tokenizers` names, by its path or, of a saved model, by its hash.
        categories: known values of each categorical field, the first of which has id 1.
        users: users of the train split, the first of which has id 1.
        interests: known topics and regions, the first of which has id 1.
        entities: entities of the train split's news, shared by all entity fields, the first of which has id 1.
        vector_widths: width of each dense field.
        word_width: width of the pre-trained vectors that the embedding of words has, or None.
    """

    tokenizers: Mapping[str, str]
    categories: Mapping[str, tuple[str, ...]]
    users: tuple[str, ...]
    interests: Mapping[str, tuple[str, ...]]
    entities: tuple[str, ...] = ()
    vector_widths: Mapping[str, int] = attrs.field(factory=dict)
    word_width: int | None = None

    @cached_property
    def _tokenizers(self) -> Mapping[str, Tokenizer]:
        return {name: Tokenizer.from_str(text) for name, text in self.tokenizers.items()}

    @property
    def words(self) -> tuple[str, ...]:
        """The known words, in the order of their ids; the first stands for any other."""
        ids: dict[str, int] = self._tokenizers[WORDS].get_vocab()
        return tuple(sorted(ids, key=ids.__getitem__))

    def token_count(self, tokenizer: str = WORDS) -> int:
        """Number of token ids, 0 included."""
        return int(self._tokenizers[tokenizer].get_vocab_size())

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all ids."""
        return hashlib.blake2b(self.to_json().encode(), digest_size=16).hexdigest()

    def tokens(self, texts: pl.Series, length: int, tokenizer: str = WORDS) -> Ragged:
        """The first `length` token ids of each text; an empty text has none.

        Words that are not known are passed over. The tokens of another tokenizer are as its model expects them: unknown
        ones are kept, and special ones, such as `[CLS]`, are among the `length`.
        """
        if tokenizer == WORDS:
            encode, keep_unknown = self._tokenizers[WORDS], False
        else:
            encode, keep_unknown = Tokenizer.from_str(self.tokenizers[tokenizer]), True
            encode.no_padding()
            encode.enable_truncation(length)
        parts = [
            _encode(encode, texts[start : start + _TEXTS_AT_A_TIME], special=keep_unknown)
            for start in range(0, len(texts), _TEXTS_AT_A_TIME)
        ]
        if not keep_unknown:
            parts = [part.where(part.values != 0) for part in parts]
        parts = [part.first(length) for part in parts]  # tokenizers do not cut to fewer than their special tokens
        if not parts:
            return Ragged.from_lengths(np.zeros(0, np.int32), np.zeros(0, np.int64))
        values = np.concatenate([part.values for part in parts])
        return Ragged.from_lengths(values, np.concatenate([part.lengths for part in parts]))

    def to_json(self) -> str:
        """The vocabulary as JSON text."""
        values = {"format": _FORMAT, **attrs.asdict(self)}
        values["tokenizers"] = {name: json.loads(text) for name, text in self.tokenizers.items()}
        return json.dumps(values, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str, *, where: str | Path) -> "Vocabulary":
        """Read what `to_json` wrote.

        Raises:
            UsageError: it is not a vocabulary.
        """
        try:
            values = json.loads(text)
            _check_format(values["format"])
            tokenizers = {str(name): json.dumps(each) for name, each in values["tokenizers"].items()}
            for each in {WORDS: tokenizers[WORDS], **tokenizers}.values():
                Tokenizer.from_str(each)
            width = values["word_width"]
            return cls(
                tokenizers,
                {str(field): _names(names) for field, names in values["categories"].items()},
                _names(values["users"]),
                {kind: _names(values["interests"][kind]) for kind in INTERESTS},
                _names(values["entities"]),
                {str(field): int(each) for field, each in values["vector_widths"].items()},
                None if width is None else int(width),
            )
        # The tokenizers library raises nothing narrower than Exception for a damaged tokenizer.
        except Exception as error:
            raise UsageError(
                f"not a vocabulary: {error}", where=where, remedy="train and save the model again"
            ) from error


def build_vocabulary(dataset: Dataset, settings: FeatureSettings) -> Vocabulary:
    """Learn ids from what the train split shows: its news (candidates and histories), its readers.

    A word that only other splits have would keep its random embedding; it is left out, and reads as no word at all.

    Raises:
        UsageError: there is no such split, a field does not exist, no round wrote the text version, or a file of
            entities, vectors or tokens is not as it should be.
    """
    impressions = dataset.impressions.filter(pl.col("split") == settings.train_split)
    if not impressions.height:
        raise UsageError(
            f"there is no split {settings.train_split!r} to learn from",
            remedy=nearest(settings.train_split, dataset.splits),
        )
    readers = impressions["reader"].unique().sort()
    shown = impressions["candidates"].explode(empty_as_null=False)
    read = dataset.encoder_history.gather(readers).list.tail(settings.history_length).explode(empty_as_null=False)
    news = pl.concat([shown, read]).unique().sort()
    texts = [news_text(dataset, field, settings.text_version).gather(news) for field in settings.texts]
    return Vocabulary(
        tokenizers={
            WORDS: learn_words(texts, settings.min_count),
            **{source: read_tokenizer(Path(source)) for source in settings.tokenizers.values()},
        },
        categories={field: _distinct(dataset.news[field].gather(news)) for field in settings.categories},
        users=_distinct(dataset.readers["user"].gather(readers)),
        interests={kind: _interests(dataset, kind, readers, settings) for kind in INTERESTS},
        entities=_entities(dataset, news, settings),
        vector_widths={field: dataset.vector_width(field) for field in settings.vectors},
        word_width=None if settings.word_vectors is None else word_vectors_width(Path(settings.word_vectors)),
    )


def tokenizer_hash(text: str) -> str:
    """Name of a tokenizer by its content, the JSON text."""
    return "blake2b:" + hashlib.blake2b(canonical_json(json.loads(text)).encode(), digest_size=16).hexdigest()


def read_tokenizer(path: Path) -> str:
    """A `tokenizer.json` as text.

    Raises:
        UsageError: it cannot be read, or is none.
    """
    try:
        text = path.read_text(encoding="utf-8")
        Tokenizer.from_str(text)
    # The tokenizers library raises nothing narrower than Exception for a damaged tokenizer.
    except Exception as error:
        raise UsageError(
            f"not a tokenizer: {error}", where=path, remedy="name a model that comes with a tokenizer.json"
        ) from error
    return text


def news_text(dataset: Dataset, field: str, version: str) -> pl.Series:
    """One text a news; a field that the round `version` did not write reads as original.

    Raises:
        UsageError: no news has the field, or no round of that name wrote any text.
    """
    if field not in {*dataset.text_fields, *USUAL_TEXTS}:
        known = {*dataset.text_fields, *USUAL_TEXTS}
        raise UsageError(f"no news has a text field {field!r}", where="texts", remedy=nearest(field, known))
    versions = set(dataset.texts["version"].unique()) | {"original", "latest"}
    if version not in versions:
        raise UsageError(
            f"no text has the version {version!r}", where="text_version", remedy=nearest(version, versions)
        )
    written = set(dataset.texts.filter(pl.col("field") == field)["version"].unique()) | {"latest"}
    return dataset.text(field, version if version in written else "original")


def learn_words(texts: Sequence[pl.Series], min_count: int) -> str:
    """A tokenizer of lower-case words without punctuation, with id 0 for any word that is not known."""
    unknown = "[UNK]"  # cannot clash with a word: brackets separate words
    tokenizer = Tokenizer(models.WordLevel(unk_token=unknown))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[^\w]+"), behavior="removed")
    everything = 2**31 - 1
    trainer = trainers.WordLevelTrainer(
        vocab_size=everything, min_frequency=min_count, special_tokens=[unknown], show_progress=False
    )
    tokenizer.train_from_iterator(_pieces(texts), trainer)
    return str(tokenizer.to_str())


def _pieces(texts: Sequence[pl.Series]) -> Iterator[list[str]]:
    for series in texts:
        for start in range(0, len(series), _TEXTS_AT_A_TIME):
            yield series[start : start + _TEXTS_AT_A_TIME].to_list()


def _interests(dataset: Dataset, kind: str, readers: pl.Series, settings: FeatureSettings) -> tuple[str, ...]:
    """The closed list, as it stands; or what enough readers of the train split have."""
    for closed, values in settings.interest_vocabularies.items():
        if closed == kind:
            return tuple(dict.fromkeys(values))
    rows = dataset.interests_of(kind).filter(pl.col("reader").is_in(readers.implode()))
    counts = rows.group_by("value").agg(pl.col("reader").n_unique())
    return _distinct(counts.filter(pl.col("reader") >= settings.interest_min_count)["value"])


def _entities(dataset: Dataset, news: pl.Series, settings: FeatureSettings) -> tuple[str, ...]:
    counts = Counter(
        entity for field in settings.entities for entities in news_entities(dataset, field, news) for entity in entities
    )
    return tuple(sorted(entity for entity, count in counts.items() if count >= settings.min_count))


def _encode(tokenizer: Tokenizer, texts: pl.Series, *, special: bool) -> Ragged:
    rows = texts.to_list()
    encodings = tokenizer.encode_batch_fast(rows, add_special_tokens=special)
    ids = [encoding.ids if text else [] for text, encoding in zip(rows, encodings, strict=True)]
    lengths = np.array([len(row) for row in ids], dtype=np.int64)
    return Ragged.from_lengths(np.fromiter(chain.from_iterable(ids), np.int32, int(lengths.sum())), lengths)


def _distinct(values: pl.Series) -> tuple[str, ...]:
    return tuple(value for value in values.unique().sort().to_list() if value)


def _check_format(number: object) -> None:
    if number != _FORMAT:
        raise ValueError(f"format {number!r}, expected {_FORMAT}")


def _names(values: object) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError("a list of texts is expected")
    return tuple(values)
