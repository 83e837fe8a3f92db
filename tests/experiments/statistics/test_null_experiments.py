"""Experiments whose variant is the original again: at 5 %, about one in twenty may be called a gain, and not more.

Of 1,000 experiments at most 67 may be significant: more would happen by chance once in a hundred times (binomial).
"""

from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom

from genre.experiments.statistics.bootstrap import intervals, resampled_means, seed_draws, user_sums
from genre.experiments.statistics.permutation import sign_flip_p
from genre.modeling import impression_metrics

EXPERIMENTS: Final = 1_000
USERS: Final = 60
MOST: Final = 67
RESAMPLES: Final = 999

Floats = NDArray[np.float64]


def aucs(strength: Floats, random: np.random.Generator) -> Floats:
    """AUC of impressions with one click among eight candidates, which a model tells by its strength (I, E)."""
    scores = random.standard_normal((strength.size, 8))
    scores[:, 0] += strength.ravel()
    labels = np.tile([1] + [0] * 7, strength.size)
    metrics = impression_metrics(scores.ravel(), labels, np.arange(0, scores.size + 1, 8))
    return metrics["auc"].to_numpy().reshape(strength.shape)


def differences(impressions_each: int, seeds: int, *, between_seeds: float, seed: int) -> tuple[Floats, Floats]:
    """Differences of AUC (I, E), averaged over seeds, and their means for each seed (S, E).

    Either side's model fits some users better than others, and the other's fits others.
    """
    random = np.random.default_rng(seed)
    owners = np.repeat(np.arange(USERS), impressions_each)
    total = np.zeros((len(owners), EXPERIMENTS))
    by_seed = []
    fits = [random.normal(0.8, 1.0, (USERS, EXPERIMENTS)) for _ in range(2)]
    for _ in range(seeds):
        sides = [aucs(fit[owners] + random.normal(0, between_seeds, EXPERIMENTS), random) for fit in fits]
        total += sides[0] - sides[1]
        by_seed.append((sides[0] - sides[1]).mean(axis=0))
    return total / seeds, np.stack(by_seed)


def significant(table: Floats, by_seed: Floats, users: NDArray[np.int64] | None) -> int:
    return int((sign_flip_p(user_sums(table, users), by_seed, resamples=RESAMPLES) < 0.05).sum())


def test_67_is_the_most_that_chance_allows() -> None:
    assert binom.sf(MOST, EXPERIMENTS, 0.05) < 0.01


def test_impressions_of_as_many_users() -> None:
    table, by_seed = differences(1, 1, between_seeds=0, seed=1)
    assert significant(table, by_seed, None) <= MOST


def test_users_with_several_impressions_each() -> None:
    table, by_seed = differences(4, 1, between_seeds=0, seed=2)
    users = np.repeat(np.arange(USERS), 4)
    assert significant(table, by_seed, users) <= MOST
    assert significant(table, by_seed, None) > 2 * MOST  # impressions as if they were users


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_trainings_that_differ_by_their_seeds(seeds: int) -> None:
    table, by_seed = differences(1, seeds, between_seeds=0.25, seed=seeds)
    assert significant(table, by_seed, None) <= MOST
    assert significant(table, np.zeros((1, EXPERIMENTS)), None) > 1.5 * MOST  # these models alone


@pytest.mark.parametrize("seeds", [1, 3])
def test_intervals_that_leave_out_0(seeds: int) -> None:
    table, by_seed = differences(2, seeds, between_seeds=0.25 if seeds > 1 else 0, seed=10 + seeds)
    users = np.repeat(np.arange(USERS), 2)
    means = resampled_means(user_sums(table, users), resamples=RESAMPLES)
    means += seed_draws(by_seed, resamples=RESAMPLES, random=np.random.default_rng(1))
    assert sum(each.excludes_zero for each in intervals(table.mean(axis=0), means)) <= MOST
