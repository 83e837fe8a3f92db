"""What each variant gains over the reference: paired differences with interval, permutation test and Holm's correction.

A family of tests is everything that may be claimed of a metric on a split at once: all variants and trained baselines,
over all readers; new and warm readers together are another family. What could not be claimed whatever its p is no
hypothesis, and is in none: gains that rest on leaked answers, and those of untrained baselines beside trained ones.
Both are known before anything is measured, so that leaving them out keeps the family's error rate.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from genre.experiments.statistics.bootstrap import (
    LEVEL,
    RESAMPLES,
    Floats,
    Interval,
    UserSums,
    intervals,
    resampled_means,
    seed_draws,
    user_sums,
)
from genre.experiments.statistics.figures import CellFigures, SplitFigures
from genre.experiments.statistics.permutation import (
    SIGNIFICANCE,
    detectable_errors,
    holm,
    sign_flip_p_with_and_without_seeds,
    standard_errors,
)
from genre.modeling.metrics import METRICS, SEGMENTS

AUC: Final = METRICS.index("auc")
_SEEDS: Final = 1
"""Second number of the generator's seed that draws for seeds, so that they do not depend on the draws of users."""


@attrs.frozen
class Gain:
    """What a variant gains over the reference, of the same baseline over the same impressions.

    Attributes:
        metric: one of `METRICS`.
        difference: variant minus reference, averaged over impressions and seeds; the interval is over users and seeds.
        p: of the sign-flip test over users, other seeds included.
        p_models: the same test of these trained models alone.
        p_holm: `p`, adjusted for its family; None for what is no hypothesis: leaked, or untrained beside trained ones.
        family: how many comparisons the family has, but for those whose sides are `equal`: they test nothing.
        equal: whether the difference is 0 for every user.
        impressions, users: how many the difference is over.
        seeds: how many both were trained with; 0 for what is untrained.
        effect: the smallest true difference that so many impressions show; None for one user.
        leaked: one of the two rests on answers that were made from more than the prompts say.
    """

    split: str
    segment: str
    baseline: str
    variant: str
    reference: str
    metric: str
    difference: Interval
    p: float
    p_models: float
    p_holm: float | None
    family: int
    equal: bool
    impressions: int
    users: int
    seeds: int
    effect: float | None
    leaked: bool

    @property
    def is_significant(self) -> bool:
        """Whether Holm's p is below 5 %."""
        return self.p_holm is not None and self.p_holm < SIGNIFICANCE


@attrs.frozen
class Comparison:
    """Two baselines on the same impressions of a split, the one with the higher AUC first.

    Attributes:
        difference: of their AUC, averaged over seeds; the interval is over users and seeds.
        leaked: the variant rests on answers that were made from more than the prompts say.
    """

    variant: str
    split: str
    first: str
    second: str
    difference: Interval
    leaked: bool

    @property
    def told_apart(self) -> bool:
        """Whether the interval of the difference excludes 0."""
        return self.difference.excludes_zero

    @property
    def sentence(self) -> str:
        """What is found, for people."""
        figures = f"{self.difference.mean:.3f} [{self.difference.low:.3f}, {self.difference.high:.3f}]"
        if self.told_apart:
            return f"{self.first} beats {self.second} by {figures}"
        return f"{self.first} and {self.second} cannot be told apart: {figures}"


@attrs.frozen(eq=False)
class _Pair:
    """Two cells that are compared.

    Attributes:
        by_seed: mean differences of the metrics for each seed (S, 4), by segment.
        seeds: how many both have; 0 where neither is trained.
    """

    first: CellFigures
    second: CellFigures
    by_seed: Mapping[str, Floats]
    seeds: int

    @classmethod
    def of(cls, first: CellFigures, second: CellFigures) -> "_Pair":
        """Seeds that only one of the two was trained with are part of its metrics, and tell nothing of other seeds."""
        if first.seeds and second.seeds:
            common = [seed for seed in first.seeds if seed in second.seeds]
            rows = [[cell.seeds.index(seed) for seed in common] or [0] for cell in (first, second)]
            seeds = len(common)
        else:  # an untrained baseline has one row, which goes with every seed of the other
            rows = [[*range(len(first.seeds) or 1)], [*range(len(second.seeds) or 1)]]
            seeds = max(map(len, (first.seeds, second.seeds)))
        by_seed = {name: first.by_seed[name][rows[0]] - second.by_seed[name][rows[1]] for name in SEGMENTS}
        return cls(first, second, by_seed, seeds)

    def differences(self, members: NDArray[np.bool_]) -> Floats:
        """Differences of the metrics, averaged over seeds, of the impressions that are marked (I,): (M, 4).

        Made when they are asked for: those of all pairs would take more memory than the figures themselves.
        """
        return self.first.metrics[members] - self.second.metrics[members]

    @property
    def leaked(self) -> bool:
        """Whether one of the two rests on answers that were made from more than the prompts say."""
        return self.first.leaked or self.second.leaked


def find_gains(figures: SplitFigures, reference: str) -> list[Gain]:
    """Every variant against the reference variant, for each baseline, segment and metric of a split.

    A segment without impressions has none.
    """
    pairs = {
        (variant, baseline): _Pair.of(cell, figures.cells[reference, baseline])
        for (variant, baseline), cell in figures.cells.items()
        if variant != reference and (reference, baseline) in figures.cells
    }
    return _adjusted([each for segment in SEGMENTS for each in _gains_of_segment(figures, pairs, reference, segment)])


def compare_baselines(figures: SplitFigures, variant: str) -> list[Comparison]:
    """Each two baselines of a variant over all readers of a split, best first."""
    cells = {baseline: cell for (name, baseline), cell in figures.cells.items() if name == variant}
    best_first = sorted(cells, key=lambda name: -cells[name].metrics[:, AUC].sum())
    names = list(combinations(best_first, 2))
    if not names or not len(figures.impressions):
        return []
    # Differences are resampled, not subtracted afterwards: those of equal figures are exactly 0 then.
    pairs = [_Pair.of(cells[one], cells[other]) for one, other in names]
    differences = np.column_stack([pair.differences(figures.segments["all"])[:, AUC] for pair in pairs])
    by_seed = [pair.by_seed["all"][:, AUC] for pair in pairs]
    found = _intervals(differences.mean(axis=0), user_sums(differences, figures.users), by_seed)
    return [
        Comparison(variant, figures.split, one, other, difference, cells[one].leaked)
        for (one, other), difference in zip(names, found, strict=True)
    ]


def _gains_of_segment(
    figures: SplitFigures, pairs: Mapping[tuple[str, str], _Pair], reference: str, segment: str
) -> Iterator[Gain]:
    """The gains of a segment, each hypothesis as if it were the only one of its family."""
    members = figures.segments[segment]
    if not pairs or not members.any():
        return
    centers, sums = _summed(pairs.values(), members, figures.users[members])
    by_seed = [column for pair in pairs.values() for column in pair.by_seed[segment].T]
    found = _intervals(centers, sums, by_seed)
    p, p_models = _p_values(sums, by_seed)
    errors = standard_errors(sums)
    differs = ((sums.sums != 0).sum(axis=0) > 0).tolist()
    asked = figures.trained or figures.baselines
    places = ((place, pair, metric) for place, pair in pairs.items() for metric in METRICS)
    for column, ((variant, baseline), pair, metric) in enumerate(places):
        yield Gain(
            split=figures.split,
            segment=segment,
            baseline=baseline,
            variant=variant,
            reference=reference,
            metric=metric,
            difference=found[column],
            p=float(p[column]),
            p_models=float(p_models[column]),
            p_holm=float(p[column]) if baseline in asked and not pair.leaked else None,
            family=1,
            equal=not differs[column],
            impressions=int(members.sum()),
            users=len(sums.sizes),
            seeds=pair.seeds,
            effect=None if errors is None else float(errors[column]) * detectable_errors(),
            leaked=pair.leaked,
        )


def _summed(pairs: Iterable[_Pair], members: NDArray[np.bool_], users: NDArray[np.int64]) -> tuple[Floats, UserSums]:
    """Mean differences of all pairs' metrics (pairs x metrics,), and what they sum to for each user.

    One pair's differences are held at a time.

    Args:
        members: which impressions (I,).
        users: of these.
    """
    means, sums = [], []
    for pair in pairs:
        differences = pair.differences(members)
        means.append(differences.mean(axis=0))
        sums.append(user_sums(differences, users))
    return np.concatenate(means), UserSums(np.hstack([each.sums for each in sums]), sums[0].sizes)


def _p_values(sums: UserSums, by_seed: Sequence[Floats]) -> tuple[Floats, Floats]:
    """P-values of K columns that other seeds are part of, and those of the trained models alone (K,)."""
    p = np.empty(len(by_seed))
    p_models = np.empty(len(by_seed))
    for columns in _by_length(by_seed).values():
        some = sums if len(columns) == len(by_seed) else UserSums(sums.sums[:, columns], sums.sizes)
        seeds = np.column_stack([by_seed[column] for column in columns])
        p[columns], p_models[columns] = sign_flip_p_with_and_without_seeds(some, seeds)
    return p, p_models


def _adjusted(found: Sequence[Gain]) -> list[Gain]:
    """Gains with Holm's p, each in its family."""
    families: dict[tuple[str, bool], list[int]] = {}
    for place, gain in enumerate(found):
        families.setdefault((gain.metric, gain.segment == "all"), []).append(place)
    gains = list(found)
    for places in families.values():
        tested = [place for place in places if found[place].p_holm is not None and not found[place].equal]
        adjusted = dict(zip(tested, holm([found[place].p for place in tested]).tolist(), strict=True))
        for place in places:
            p_holm = adjusted.get(place, found[place].p_holm)
            gains[place] = attrs.evolve(found[place], p_holm=p_holm, family=len(tested))
    return gains


def _intervals(centers: Floats, sums: UserSums, by_seed: Sequence[Floats]) -> list[Interval]:
    """Intervals over users and seeds around K means (K,), each with its mean for each seed (S,)."""
    means = resampled_means(sums)
    for places in _by_length(by_seed).values():
        table = np.column_stack([by_seed[place] for place in places])
        means[:, places] += seed_draws(table, resamples=RESAMPLES, random=np.random.default_rng([0, _SEEDS]))
    return intervals(centers, means, level=LEVEL)


def _by_length(columns: Sequence[Floats]) -> dict[int, list[int]]:
    lengths: dict[int, list[int]] = {}
    for place, column in enumerate(columns):
        lengths.setdefault(len(column), []).append(place)
    return lengths
