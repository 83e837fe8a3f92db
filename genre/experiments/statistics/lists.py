"""What the first k candidates of impressions are like, beyond whether they are clicked.

J lists of k news each, best first, are positions of news (J, k). What is averaged is returned for each list.
`docs/explanation/statistics.md` tells how to read it.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from genre.modeling.ragged import Ragged, concatenated_ranges
from genre.modeling.tf_idf import TfIdf

Floats = NDArray[np.float64]
Ints = NDArray[np.integer]

_LISTS_AT_A_TIME: Final = 4096


def ranked(scores: NDArray[np.float32], candidates: Ragged, ties: Ints) -> Ragged:
    """Each impression's candidates, best first.

    Args:
        scores: one a candidate (T,).
        ties: of each news (N,): equal scores are in the order of these, the same in every impression.
    """
    order = np.lexsort((ties[candidates.values], -scores, candidates.rows))
    return Ragged(candidates.values[order], candidates.offsets)


def top_lists(ranking: Ragged, k: int) -> NDArray[np.int32]:
    """The first k of each ranking that has more than k (J, k)."""
    starts = ranking.offsets[:-1][ranking.lengths > k]
    lists: NDArray[np.int32] = ranking.values[starts[:, None] + np.arange(k)]
    return lists


def text_distance(lists: Ints, vectors: TfIdf) -> Floats:
    """Intra-list distance: 1 - cosine, averaged over all pairs of a list (J,) (Ziegler et al. 2005; Vargas 2011).

    A news without a word is at distance 1 from all others.
    """
    parts = [_text_distance(lists[start : start + _LISTS_AT_A_TIME], vectors) for start in _starts(lists)]
    return np.concatenate([np.zeros(0), *parts])


def category_distance(lists: Ints, categories: Ints) -> Floats:
    """Share of a list's pairs that are of two categories (J,).

    Args:
        categories: number of each news's category (N,).
    """
    named, k = categories[lists], lists.shape[1]
    equal = np.zeros(len(lists))
    for place in range(1, k):
        equal += (named[:, place:] == named[:, :-place]).sum(axis=1)
    distance: Floats = 1 - equal / (k * (k - 1) / 2)
    return distance


def category_coverage(lists: Ints, categories: Ints, possible: Ints) -> Floats:
    """Categories of a list, over as many as a list of k out of its impression's candidates can have (J,).

    Args:
        possible: how many categories the candidates of each list's impression have (J,).
    """
    named = np.sort(categories[lists], axis=1)
    found = 1 + (named[:, 1:] != named[:, :-1]).sum(axis=1)
    coverage: Floats = found / np.minimum(possible, lists.shape[1])
    return coverage


def distinct_categories(candidates: Ragged, categories: Ints) -> NDArray[np.int64]:
    """How many categories the candidates of each impression have (I,)."""
    count = int(categories.max(initial=0)) + 1
    distinct = np.unique(candidates.rows * count + categories[candidates.values])
    return np.bincount(distinct // count, minlength=len(candidates))


def novelty(lists: Ints, train_clicks: Ints, news: int) -> Floats:
    """Mean self-information of a list's news, in bits (J,) (Zhou et al. 2010; Castells et al. 2015, section 26.3).

    -log2((clicks + 1) / (all clicks + news)): the share of clicks in the train split, with one more for each news, so
    that what nobody has clicked is novel and not infinitely so.

    Args:
        train_clicks: of each news (N,).
        news: how many original ones there are; those that an LLM made can be neither clicked nor recommended.
    """
    shares = (train_clicks + 1) / (train_clicks.sum() + news)
    means: Floats = -np.log2(shares[lists]).mean(axis=1)
    return means


def catalogue_coverage(lists: Ints, candidates: Ragged) -> float:
    """Share of the news that are candidates of these impressions that are in some list (Ge et al. 2010).

    Args:
        candidates: of all impressions; those with more than k have the J lists.
    """
    shown = candidates.lengths[candidates.rows] > lists.shape[1]
    return len(np.unique(lists)) / len(np.unique(candidates.values[shown]))


def exposure_gini(lists: Ints, candidates: Ragged) -> float:
    """Gini coefficient of how often these candidates are in a list: 0 for all alike (Fleder and Hosanagar 2009)."""
    shown = np.unique(candidates.values[candidates.lengths[candidates.rows] > lists.shape[1]])
    counts = np.sort(np.bincount(np.searchsorted(shown, lists.ravel()), minlength=len(shown)))
    weights = 2 * np.arange(1, len(shown) + 1) - len(shown) - 1
    return float((weights * counts).sum() / (len(shown) * counts.sum()))


def inter_list_distance(lists: Ints, users: Ints) -> float | None:
    """1 - the share of news that two lists of different users have in common, over all such pairs (Zhou et al. 2010).

    None without two users. Where candidates differ, lists do even if nothing is personal: see `SharedCandidates`.

    Args:
        users: number of the user of each list (J,).
    """
    k = lists.shape[1]
    per_user = np.bincount(users)
    pairs = _pairs(np.array([len(lists)])) - _pairs(per_user)
    if not pairs:
        return None
    count = int(lists.max(initial=0)) + 1
    of_user = np.unique(users.repeat(k).astype(np.int64) * count + lists.ravel(), return_counts=True)[1]
    common = _pairs(np.bincount(lists.ravel())) - _pairs(of_user)
    return float(1 - common / (pairs * k))


class SharedCandidates:
    """Pairs of impressions of different users that have more than k candidates in common.

    Two readers can only be compared in what both may be shown. A model that gives a news one score, whoever reads,
    ranks these alike, whatever else each of them was shown; so `personalisation` is 0 for it.

    Args:
        candidates: of all impressions.
        users: number of the user of each impression.
        pairs: how many are looked for, in up to 20 times as many random draws.
    """

    def __init__(self, candidates: Ragged, users: Ints, k: int, *, pairs: int = 5_000, seed: int = 0) -> None:
        self.k = k
        self._news = candidates.values
        self._first = np.zeros(0, np.int64)
        self._second = np.zeros(0, np.int64)
        self.sizes = np.zeros(0, np.int64)
        random = np.random.default_rng(seed)
        large = np.flatnonzero(candidates.lengths > k)
        for _ in range(20 if len(large) > 1 else 0):
            one, other = large[random.integers(0, len(large), (2, pairs))]
            differ = users[one] != users[other]
            self._add(candidates, one[differ], other[differ], pairs)
            if len(self) == pairs:
                break

    def __len__(self) -> int:
        return len(self.sizes)

    def personalisation(self, scores: NDArray[np.float32], ties: Ints) -> float | None:
        """1 - the share that two readers' best k of their common candidates have in common; None without pairs.

        Args:
            scores, ties: as of `ranked`.
        """
        if not len(self):
            return None
        chosen = [self._best(scores[places], ties[self._news[places]]) for places in (self._first, self._second)]
        return 1 - float((chosen[0] & chosen[1]).sum()) / (self.k * len(self))

    def _best(self, scores: NDArray[np.float32], ties: Ints) -> NDArray[np.bool_]:
        """Which of the common candidates are among the best k of their pair."""
        rows = np.repeat(np.arange(len(self)), self.sizes)
        order = np.lexsort((ties, -scores, rows))
        starts = np.cumsum(self.sizes) - self.sizes
        best = np.zeros(len(scores), np.bool_)
        best[order[starts[:, None] + np.arange(self.k)]] = True
        return best

    def _add(self, candidates: Ragged, one: Ints, other: Ints, wanted: int) -> None:
        count = int(candidates.values.max(initial=0)) + 1
        keys, places = zip(*(_keys(candidates, rows, count) for rows in (one, other)), strict=True)
        common, first, second = np.intersect1d(*keys, return_indices=True)
        rows = common // count
        sizes = np.bincount(rows, minlength=len(one))
        kept = np.flatnonzero(sizes > self.k)[: wanted - len(self)]
        inside = np.isin(rows, kept)
        self._first = np.concatenate([self._first, places[0][first[inside]]])
        self._second = np.concatenate([self._second, places[1][second[inside]]])
        self.sizes = np.concatenate([self.sizes, sizes[kept]])


def _keys(candidates: Ragged, rows: Ints, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A number for each (row, news) of these impressions, and where its score is."""
    places = concatenated_ranges(candidates.offsets[rows], candidates.lengths_of(rows))
    return np.repeat(np.arange(len(rows)), candidates.lengths_of(rows)) * count + candidates.values[places], places


def _text_distance(lists: Ints, vectors: TfIdf) -> Floats:
    k = lists.shape[1]
    news = lists.ravel()
    lengths = vectors.words.lengths_of(news)
    entries = concatenated_ranges(vectors.words.offsets[news], lengths)
    row = np.repeat(np.arange(len(news)) // k, lengths)
    cells = row * len(vectors.idf) + vectors.words.values[entries]
    order = np.argsort(cells, kind="stable")
    cells = cells[order]
    starts = np.flatnonzero(np.concatenate([[True], cells[1:] != cells[:-1]])) if len(cells) else np.zeros(0, np.int64)
    sums = np.add.reduceat(vectors.weights[entries][order], starts) if len(cells) else np.zeros(0)
    # |sum of vectors|^2 is the sum of |vector|^2, which are 1 or 0, and twice the dot products of all pairs.
    squared = np.bincount(row[order][starts], sums**2, minlength=len(lists))
    dots = (squared - (lengths.reshape(-1, k) > 0).sum(axis=1)) / 2
    distance: Floats = 1 - dots / (k * (k - 1) / 2)
    return distance


def _starts(lists: Ints) -> range:
    return range(0, len(lists), _LISTS_AT_A_TIME)


def _pairs(counts: Ints) -> int:
    """How many pairs there are within groups of these sizes."""
    wide = counts.astype(np.int64)
    return int((wide * (wide - 1) // 2).sum())
