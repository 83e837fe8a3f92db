"""What ids mean: words, categories, users and interests of the train split. Kept as JSON, never pickled."""

import hashlib
import json
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
from genre.modeling.ragged import Ragged
from genre.modeling.settings import FeatureSettings

WORDS: Final = "words"
"""Name of the word-level tokenizer: what an encoder that embeds its own words declares as `tokenizer`."""

INTERESTS: Final = ("topics", "regions")
"""Kinds of interests that are fused (equation 1)."""

USUAL_TEXTS: Final = ("title", "abstract")
"""Fields that may be asked for even when no news has them: MIND's abstracts, for one, can all be empty."""

_FORMAT: Final = 1
_TEXTS_AT_A_TIME: Final = 10_000


@attrs.frozen(eq=False)
class Vocabulary:
    """Ids of everything that a model embeds. Id 0 is always "none, or not seen in training".

    Attributes:
        words: the tokenizer, as the JSON text of the `tokenizers` library.
        categories: known values of each categorical field, the first of which has id 1.
        users: users of the train split, the first of which has id 1.
        interests: known topics and regions of readers of the train split, the first of which has id 1.
    """

    words: str
    categories: Mapping[str, tuple[str, ...]]
    users: tuple[str, ...]
    interests: Mapping[str, tuple[str, ...]]
    tokenizer: str = WORDS

    @cached_property
    def _words(self) -> Tokenizer:
        return Tokenizer.from_str(self.words)

    @property
    def word_count(self) -> int:
        """Number of token ids, 0 included."""
        return int(self._words.get_vocab_size())

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all ids."""
        return hashlib.blake2b(self.to_json().encode(), digest_size=16).hexdigest()

    def tokens(self, texts: pl.Series, length: int) -> Ragged:
        """Ids of the first `length` known words of each text; words that are not known are passed over."""
        parts = [
            self._tokens(texts[start : start + _TEXTS_AT_A_TIME]) for start in range(0, len(texts), _TEXTS_AT_A_TIME)
        ]
        parts = [part.where(part.values != 0).first(length) for part in parts]
        if not parts:
            return Ragged.from_lengths(np.zeros(0, np.int32), np.zeros(0, np.int64))
        values = np.concatenate([part.values for part in parts])
        return Ragged.from_lengths(values, np.concatenate([part.lengths for part in parts]))

    def _tokens(self, texts: pl.Series) -> Ragged:
        ids = [encoding.ids for encoding in self._words.encode_batch_fast(texts.to_list(), add_special_tokens=False)]
        lengths = np.array([len(row) for row in ids], dtype=np.int64)
        return Ragged.from_lengths(np.fromiter(chain.from_iterable(ids), np.int32, int(lengths.sum())), lengths)

    def to_json(self) -> str:
        """The vocabulary as JSON text."""
        values = {"format": _FORMAT, **attrs.asdict(self), "words": json.loads(self.words)}
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
            words = json.dumps(values["words"])
            Tokenizer.from_str(words)
            return cls(
                words,
                {str(field): _names(names) for field, names in values["categories"].items()},
                _names(values["users"]),
                {kind: _names(values["interests"][kind]) for kind in INTERESTS},
                str(values["tokenizer"]),
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
        UsageError: there is no such split, a field does not exist, or no round wrote the text version.
    """
    impressions = dataset.impressions.filter(pl.col("split") == settings.train_split)
    if not impressions.height:
        raise UsageError(
            f"there is no split {settings.train_split!r} to learn from",
            remedy=nearest(settings.train_split, dataset.splits),
        )
    readers = impressions["reader"].unique().sort()
    shown = impressions["candidates"].explode(empty_as_null=False)
    read = dataset.readers["history"].gather(readers).list.tail(settings.history_length).explode(empty_as_null=False)
    news = pl.concat([shown, read]).unique().sort()
    texts = [news_text(dataset, field, settings.text_version).gather(news) for field in settings.texts]
    interests = {
        kind: dataset.interests_of(kind).filter(pl.col("reader").is_in(readers.implode())) for kind in INTERESTS
    }
    return Vocabulary(
        words=_learn_words(texts, settings.min_count),
        categories={field: _distinct(dataset.news[field].gather(news)) for field in settings.categories},
        users=_distinct(dataset.readers["user"].gather(readers)),
        interests={kind: _distinct(rows["value"]) for kind, rows in interests.items()},
    )


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


def _learn_words(texts: Sequence[pl.Series], min_count: int) -> str:
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


def _distinct(values: pl.Series) -> tuple[str, ...]:
    return tuple(value for value in values.unique().sort().to_list() if value)


def _check_format(number: object) -> None:
    if number != _FORMAT:
        raise ValueError(f"format {number!r}, expected {_FORMAT}")


def _names(values: object) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError("a list of texts is expected")
    return tuple(values)
