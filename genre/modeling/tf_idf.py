"""TF-IDF vectors of news, from ids of their words. What a word is, and which words count, say those who number them."""

import attrs
import numpy as np
from numpy.typing import NDArray

from genre.modeling.ragged import BoolArray, Ragged


@attrs.frozen(eq=False)
class TfIdf:
    """N news as sparse vectors of length 1, or 0 where a news has no word.

    Weights are tf * (1 + ln((1 + n) / (1 + df))), then divided by their L2 norm, as scikit-learn's `TfidfVectorizer`
    has them by default.

    Attributes:
        words: ids of the distinct words of each news, ascending, N lists.
        weights: the weight of each word (T,), in the order of `words.values`.
        idf: the weight of one occurrence of each of V words before the division (V,), those that no news has included.
    """

    words: Ragged
    weights: NDArray[np.float64]
    idf: NDArray[np.float64]

    @classmethod
    def from_tokens(cls, tokens: Ragged, fitted: BoolArray, word_count: int) -> "TfIdf":
        """Vectors of N lists of word ids.

        Args:
            fitted: marks the news that document frequencies are counted on (N,).
            word_count: V, more than the largest id.
        """
        pairs, counts = np.unique(tokens.rows * word_count + tokens.values, return_counts=True)
        news, words = np.divmod(pairs, word_count)
        frequencies = np.bincount(words[fitted[news]], minlength=word_count)
        idf = np.log((1 + fitted.sum()) / (1 + frequencies)) + 1
        weights = counts * idf[words]
        norms = np.sqrt(np.bincount(news, weights**2, minlength=len(tokens)))
        return cls(Ragged.from_lengths(words, np.bincount(news, minlength=len(tokens))), weights / norms[news], idf)
