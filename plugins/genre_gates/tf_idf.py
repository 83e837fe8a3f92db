"""Texts from outside against the TF-IDF vectors of news."""

from array import array
from collections import Counter
from collections.abc import Iterable
from typing import Self

import attrs
import numpy as np
from numpy.typing import NDArray

from genre.modeling.ragged import BoolArray, IntArray, Ragged, concatenated_ranges
from genre.modeling.tf_idf import TfIdf
from genre_gates.texts import words


@attrs.frozen(eq=False)
class NewsVectors:
    """N news that texts can be compared with.

    Words that no news has count in the length of a text, so that they make it less similar.

    Attributes:
        ids: number of each word of the news, from 1; 0 is any other word.
        vectors: of the N news.
    """

    ids: dict[str, int]
    vectors: TfIdf

    @classmethod
    def fit(cls, texts: Iterable[str], counted: BoolArray) -> Self:
        """Vectors of N texts; `counted` (N,) marks those that document frequencies are counted on."""
        ids: dict[str, int] = {}
        flat, lengths = array("q"), array("q")
        for text in texts:
            tokens = [ids.setdefault(word, len(ids) + 1) for word in words(text)]
            flat.extend(tokens)
            lengths.append(len(tokens))
        numbered = Ragged.from_lengths(np.array(flat, np.int64), np.array(lengths, np.int64))
        return cls(ids, TfIdf.from_tokens(numbered, counted, len(ids) + 1))

    def cosines(self, text: str, news: IntArray) -> NDArray[np.float64]:
        """Cosine similarity of a text with each of these news (H,), between 0 and 1."""
        numbered = [(self.ids.get(word, 0), count) for word, count in Counter(words(text)).items()]
        weights = [(number, count * float(self.vectors.idf[number])) for number, count in numbered]
        known = dict(sorted((number, weight) for number, weight in weights if number))
        if not known:
            return np.zeros(len(news))
        at, values = np.array(list(known)), np.array(list(known.values()))
        lengths = self.vectors.words.lengths_of(news)
        entries = concatenated_ranges(self.vectors.words.offsets[news], lengths)
        shown = self.vectors.words.values[entries]
        place = np.minimum(np.searchsorted(at, shown), len(at) - 1)
        shared = np.where(at[place] == shown, values[place] * self.vectors.weights[entries], 0.0)
        sums = np.bincount(np.repeat(np.arange(len(news)), lengths), shared, minlength=len(news))
        norm = sum(weight**2 for _, weight in weights) ** 0.5
        cosines: NDArray[np.float64] = np.minimum(sums / norm, 1.0)
        return cosines
