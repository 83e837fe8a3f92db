"""What needs no training: popularity, TF-IDF similarity and chance. They put every trained figure in its place."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray
from tokenizers import Tokenizer

from genre.dataset import Dataset
from genre.errors import UsageError, nearest
from genre.modeling.features import SplitFeatures, split_features
from genre.modeling.ragged import Ragged, concatenated_ranges
from genre.modeling.settings import FeatureSettings
from genre.modeling.tf_idf import TfIdf
from genre.modeling.vocabulary import learn_words, news_text

if TYPE_CHECKING:
    from genre.modeling.evaluation import Evaluation

UNTRAINED: Final = ("popularity", "tf-idf", "random")
"""Names of the untrained baselines."""

Scorer: TypeAlias = Callable[[SplitFeatures], NDArray[np.float32]]
"""One score a candidate of a split (T,)."""

_FUNCTION_WORDS: Final = (
    "a about above after again against all also am among an and any are as at be because been before being below "
    "between both but by can cannot could d did do does doing down during each either else ever every few for from "
    "further had has have having he her here hers herself him himself his how however i if in into is it its itself "
    "just ll m may me might more most much must my myself neither no nor not of off on once only or other others our "
    "ours ourselves out over own per re s same shall she should since so some such t than that the their theirs them "
    "themselves then there these they this those though through thus to too under until up upon us ve very was we "
    "were what when where whether which while who whom whose why will with within without would yet you your yours "
    "yourself yourselves"
)
FUNCTION_WORDS: Final = frozenset(_FUNCTION_WORDS.split())
"""English words without a topic, and what is left of "don't" and "it's" once apostrophes separate words."""

_TEXTS_AT_A_TIME: Final = 10_000
_IMPRESSIONS_AT_A_TIME: Final = 256
_CELLS_AT_A_TIME: Final = 8_000_000
"""Cells of the table of readers' profiles: 64 MB, however many words there are."""


def evaluate_untrained(
    name: str, dataset: Dataset, settings: FeatureSettings, splits: Sequence[str], *, seed: int = 0
) -> dict[str, "Evaluation"]:
    """The evaluation of each split by an untrained baseline; `summarize` averages them.

    Raises:
        UsageError: no such baseline, split, field or version.
    """
    from genre.modeling.evaluation import evaluation_of  # loads torch, which nothing else here needs

    score = untrained_scorer(name, dataset, settings, seed=seed)
    rows = {split: split_features(dataset, split) for split in splits}
    return {split: evaluation_of(dataset, each, score(each)) for split, each in rows.items()}


def untrained_scorer(name: str, dataset: Dataset, settings: FeatureSettings, *, seed: int = 0) -> Scorer:
    """An untrained baseline, ready to score.

    `popularity` counts the clicks of a candidate in the train split. `tf-idf` is how similar a candidate is to the mean
    news of the reader's history, see `news_tf_idf`; it is 0 for a reader without history. `random` draws from `seed`.

    Raises:
        UsageError: no such baseline; or what it reads (the train split, a field, a version) does not exist.
    """
    if name == "popularity":
        clicks = train_clicks(dataset, settings.train_split)
        return lambda split: clicks[split.candidates.values].astype(np.float32)
    if name == "tf-idf":
        tf_idf = news_tf_idf(dataset, settings)
        histories = Ragged.from_series(dataset.encoder_history).last(settings.history_length)
        return lambda split: _similarities(tf_idf, histories, split)
    if name == "random":
        return lambda split: np.random.default_rng(seed).random(len(split.candidates.values), dtype=np.float32)
    raise UsageError(f"there is no untrained baseline {name!r}", remedy=nearest(name, UNTRAINED))


def train_clicks(dataset: Dataset, train_split: str) -> NDArray[np.int64]:
    """How often each news was clicked in the train split (N,).

    Raises:
        UsageError: there is no such split.
    """
    split = split_features(dataset, train_split)
    return np.bincount(split.candidates.values[split.labels == 1], minlength=dataset.news.height)


def news_tf_idf(dataset: Dataset, settings: FeatureSettings) -> TfIdf:
    """The vectors of all news, from whole texts and categories as `settings` names them.

    Words are split as encoders split them, and `FUNCTION_WORDS` are left out. Words and their document frequencies are
    learned on all original news of the data set, those that only later splits show included, as is usual for content
    models: texts are known before anybody clicks. News that an LLM made are left out of the frequencies; they would
    count their source twice.

    Raises:
        UsageError: a field does not exist, or no round wrote the text version.
    """
    documents = news_documents(dataset, settings)
    original = dataset.news["origin"] == "original"
    tokenizer = Tokenizer.from_str(learn_words([documents.filter(original)], 1))
    known = np.ones(tokenizer.get_vocab_size(), dtype=np.bool_)
    ids = (tokenizer.token_to_id(word) for word in FUNCTION_WORDS)
    known[[0, *(number for number in ids if number is not None)]] = False
    tokens = _tokens(tokenizer, documents)
    return TfIdf.from_tokens(tokens.where(known[tokens.values]), original.to_numpy(), len(known))


def news_documents(dataset: Dataset, settings: FeatureSettings) -> pl.Series:
    """Everything that encoders read of a news as one text (N,): its texts, untruncated, then its categories.

    Raises:
        UsageError: a field does not exist, or no round wrote the text version.
    """
    texts = [news_text(dataset, field, settings.text_version) for field in settings.texts]
    categories = [dataset.news[field] for field in settings.categories]
    columns = [series.fill_null("").alias(str(number)) for number, series in enumerate([*texts, *categories])]
    if not columns:
        return pl.repeat("", dataset.news.height, dtype=pl.String, eager=True)
    return pl.DataFrame(columns).select(pl.concat_str(pl.all(), separator=" ")).to_series()


def _tokens(tokenizer: Tokenizer, texts: pl.Series) -> Ragged:
    ids = [np.zeros(0, np.int32)]  # of no news, so that there is something to join
    for start in range(0, len(texts), _TEXTS_AT_A_TIME):
        some = texts[start : start + _TEXTS_AT_A_TIME].to_list()
        ids += [np.array(each.ids, np.int32) for each in tokenizer.encode_batch_fast(some, add_special_tokens=False)]
    return Ragged.from_lengths(np.concatenate(ids), np.array([len(each) for each in ids[1:]], np.int64))


def _similarities(tf_idf: TfIdf, histories: Ragged, split: SplitFeatures) -> NDArray[np.float32]:
    """Dot product of each candidate with the mean of the reader's history (T,); 0 without history.

    Args:
        histories: news positions of each reader of the data set.
    """
    word_count = len(tf_idf.idf)
    size = max(1, min(_IMPRESSIONS_AT_A_TIME, _CELLS_AT_A_TIME // max(1, word_count)))
    profiles = np.zeros(size * word_count)
    parts = [np.zeros(0, np.float32)]
    for start in range(0, len(split.readers), size):
        rows = np.arange(start, min(start + size, len(split.readers)))
        read = histories.take(split.readers[rows])
        cells, weights, _ = _cells(tf_idf, read)
        np.add.at(profiles, cells, weights)
        shown = split.candidates.take(rows)
        touched, weights, owners = _cells(tf_idf, shown)
        sums = np.bincount(owners, profiles[touched] * weights, minlength=len(shown.values))
        parts.append((sums / np.maximum(read.lengths, 1)[shown.rows]).astype(np.float32))
        profiles[cells] = 0.0  # only what was written: clearing all of it would take longer than the rest
    return np.concatenate(parts)


def _cells(tf_idf: TfIdf, news: Ragged) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """For each word of each news of these lists: its cell in (lists x words), its weight, and which value it is."""
    lengths = tf_idf.words.lengths_of(news.values)
    entries = concatenated_ranges(tf_idf.words.offsets[news.values], lengths)
    cells = np.repeat(news.rows, lengths) * len(tf_idf.idf) + tf_idf.words.values[entries]
    return cells, tf_idf.weights[entries], np.repeat(np.arange(len(news.values)), lengths)
