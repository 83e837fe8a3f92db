"""TF-IDF vectors of news that texts from outside can be compared with. Loads no torch, unlike the baseline `tf-idf`."""

from array import array
from collections import Counter
from collections.abc import Iterable
from typing import Self

import attrs
import numpy as np
from numpy.typing import NDArray

from genre.modeling.ragged import BoolArray, IntArray, Ragged, concatenated_ranges
from genre_gates.texts import words


@attrs.frozen(eq=False)
class NewsVectors:
    """N news as sparse vectors of length 1, or 0 where a news has no word.

    Weights are tf * (1 + ln((1 + n) / (1 + df))), then divided by their L2 norm, as scikit-learn's `TfidfVectorizer`
    has them by default. Words that no news has count in the length of a text, so that they make it less similar.

    Attributes:
        ids: number of each of the V words.
        idf: the weight of one occurrence of each word (V,).
        unknown_idf: that of a word that no news has.
        words: distinct words of each news, N lists.
        weights: their weights (T,), in the order of `words.values`.
    """

    ids: dict[str, int]
    idf: NDArray[np.float64]
    unknown_idf: float
    words: Ragged
    weights: NDArray[np.float64]

    @classmethod
    def fit(cls, texts: Iterable[str], counted: BoolArray) -> Self:
        """Vectors of N texts; `counted` (N,) marks those that document frequencies are counted on."""
        ids: dict[str, int] = {}
        flat, lengths = array("q"), array("q")
        for text in texts:
            tokens = [ids.setdefault(word, len(ids)) for word in words(text)]
            flat.extend(tokens)
            lengths.append(len(tokens))
        rows = np.repeat(np.arange(len(lengths)), np.array(lengths, np.int64))
        size = max(1, len(ids))
        pairs, counts = np.unique(rows * size + np.array(flat, np.int64), return_counts=True)
        news, found = np.divmod(pairs, size)
        documents = 1 + int(counted.sum())
        frequencies = np.bincount(found[counted[news]], minlength=len(ids))
        idf = np.log(documents / (1 + frequencies)) + 1
        weights = counts * idf[found]
        norms = np.sqrt(np.bincount(news, weights**2, minlength=len(lengths)))
        return cls(
            ids=ids,
            idf=idf,
            unknown_idf=float(np.log(documents) + 1),
            words=Ragged.from_lengths(found, np.bincount(news, minlength=len(lengths))),
            weights=weights / norms[news],
        )

    def cosines(self, text: str, news: IntArray) -> NDArray[np.float64]:
        """Cosine similarity of a text with each of these news (H,), between 0 and 1."""
        counts = Counter(words(text))
        weights = {word: count * self._idf(word) for word, count in counts.items()}
        known = {self.ids[word]: weight for word, weight in weights.items() if word in self.ids}
        if not known:
            return np.zeros(len(news))
        at = np.array(sorted(known))
        values = np.array([known[number] for number in at.tolist()])
        lengths = self.words.lengths_of(news)
        entries = concatenated_ranges(self.words.offsets[news], lengths)
        shown = self.words.values[entries]
        place = np.minimum(np.searchsorted(at, shown), len(at) - 1)
        shared = np.where(at[place] == shown, values[place] * self.weights[entries], 0.0)
        sums = np.bincount(np.repeat(np.arange(len(news)), lengths), shared, minlength=len(news))
        norm = sum(weight**2 for weight in weights.values()) ** 0.5
        cosines: NDArray[np.float64] = np.minimum(sums / norm, 1.0)
        return cosines

    def _idf(self, word: str) -> float:
        number = self.ids.get(word)
        return self.unknown_idf if number is None else float(self.idf[number])
