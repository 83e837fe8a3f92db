"""What variants gain over the reference: of figures that are made here, and of a small run."""

from collections.abc import Mapping

import numpy as np
import pytest

from genre.experiments.results import METRICS
from genre.experiments.statistics.bootstrap import paired_difference
from genre.experiments.statistics.description import RunDescription, RunVariant, reference_variant
from genre.experiments.statistics.figures import CellFigures, SplitFigures
from genre.experiments.statistics.gains import Gain, find_gains
from genre.experiments.statistics.permutation import detectable_difference, holm, permutation_test
from genre.modeling import FeatureSettings

IMPRESSIONS = 60
USERS = np.arange(IMPRESSIONS) // 3
IS_NEW = USERS % 3 == 0
SEGMENTS = {"all": np.ones(IMPRESSIONS, np.bool_), "new": IS_NEW, "warm": ~IS_NEW}
HARDNESS = np.random.default_rng(0).random(IMPRESSIONS)


def metrics_of(variant: str, baseline: str, seeds: int) -> np.ndarray:
    """Metrics of each seed's model (S, I, 4)."""
    random = np.random.default_rng([ord(variant[0]), ord(baseline[0])])
    gain = 0.05 if variant == "better" else 0.0
    return HARDNESS[None, :, None] + gain + random.normal(0, 0.03, (seeds, IMPRESSIONS, 4))


def cell_of(metrics: np.ndarray, *, seeds: tuple[int, ...], leaked: bool = False) -> CellFigures:
    by_seed = {name: metrics[:, members].mean(axis=1) for name, members in SEGMENTS.items()}
    return CellFigures(seeds, metrics.mean(axis=0), by_seed, leaked)


def figures_of(cells: Mapping[tuple[str, str], CellFigures]) -> SplitFigures:
    return SplitFigures("test", np.arange(IMPRESSIONS), USERS, SEGMENTS, cells)


SEEDS = (0, 1, 2)
CELLS = {
    (variant, baseline): cell_of(metrics_of(variant, baseline, 3), seeds=SEEDS, leaked=variant == "leaky")
    for variant in ("original", "better", "alike", "leaky")
    for baseline in ("nrms", "dcn")
}
CELLS |= {
    (variant, "popularity"): cell_of(metrics_of("original", "popularity", 1), seeds=())
    for variant in ("original", "better", "alike", "leaky")
}
GAINS = find_gains(figures_of(CELLS), "original")


def gain_of(variant: str, baseline: str, *, segment: str = "all", metric: str = "auc") -> Gain:
    [gain] = [
        each
        for each in GAINS
        if (each.variant, each.baseline, each.segment, each.metric) == (variant, baseline, segment, metric)
    ]
    return gain


def test_every_variant_baseline_segment_and_metric_has_a_gain() -> None:
    places = {(each.variant, each.baseline, each.segment, each.metric) for each in GAINS}
    assert len(GAINS) == len(places) == 3 * 3 * 3 * 4
    assert {each.reference for each in GAINS} == {"original"}


@pytest.mark.parametrize("segment", ["all", "new", "warm"])
def test_a_gain_is_the_paired_difference_over_users_and_seeds(segment: str) -> None:
    members = SEGMENTS[segment]
    first, second = (metrics_of(variant, "dcn", 3)[:, members, 0] for variant in ("better", "original"))
    gain = gain_of("better", "dcn", segment=segment)
    expected = paired_difference(first, second, users=USERS[members])
    assert gain.difference.mean == pytest.approx(expected.mean)
    assert (gain.difference.low, gain.difference.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert gain.p == pytest.approx(permutation_test(first, second, users=USERS[members]))
    assert gain.p_models == pytest.approx(permutation_test(first, second, users=USERS[members], seeds="fixed"))
    assert gain.effect == pytest.approx(detectable_difference((first - second).mean(axis=0), users=USERS[members]))
    assert (gain.impressions, gain.users, gain.seeds) == (members.sum(), len({*USERS[members]}), 3)


def test_a_real_gain_is_significant_and_chance_is_not() -> None:
    assert gain_of("better", "nrms").is_significant
    assert not gain_of("alike", "nrms").is_significant


@pytest.mark.parametrize("metric", METRICS)
def test_a_family_is_all_variants_and_baselines_of_a_metric_over_all_readers(metric: str) -> None:
    family = [each for each in GAINS if each.metric == metric and each.segment == "all" and not each.equal]
    assert {each.family for each in family} == {len(family)} == {6}
    np.testing.assert_allclose([each.p_holm for each in family], holm([each.p for each in family]))


def test_new_and_warm_readers_are_a_family_of_their_own() -> None:
    family = [each for each in GAINS if each.metric == "auc" and each.segment != "all" and not each.equal]
    assert {each.family for each in family} == {12}
    np.testing.assert_allclose([each.p_holm for each in family], holm([each.p for each in family]))


def test_what_no_variant_changes_tests_nothing() -> None:
    gain = gain_of("better", "popularity")
    assert (gain.equal, gain.p, gain.p_holm, gain.seeds) == (True, 1.0, 1.0, 0)
    assert (gain.difference.mean, gain.difference.low, gain.difference.high, gain.effect) == (0, 0, 0, 0)


def test_a_gain_of_a_leaked_variant_is_marked() -> None:
    assert {each.variant for each in GAINS if each.leaked} == {"leaky"}


def test_a_segment_without_impressions_has_no_gains() -> None:
    none = np.zeros(IMPRESSIONS, np.bool_)
    figures = SplitFigures("test", np.arange(IMPRESSIONS), USERS, {"all": ~none, "new": none, "warm": ~none}, CELLS)
    assert {each.segment for each in find_gains(figures, "original")} == {"all", "warm"}


def test_seeds_that_only_one_side_has_tell_nothing_of_others() -> None:
    cells = {
        ("original", "nrms"): CELLS["original", "nrms"],
        ("alike", "nrms"): cell_of(metrics_of("alike", "nrms", 1), seeds=(2,)),
    }
    [gain] = [
        each for each in find_gains(figures_of(cells), "original") if (each.segment, each.metric) == ("all", "auc")
    ]
    assert gain.seeds == 1
    assert gain.p == gain.p_models


def described(*variants: tuple[str, int]) -> RunDescription:
    return RunDescription([RunVariant(name, rounds) for name, rounds in variants], FeatureSettings())


@pytest.mark.parametrize(
    ("variants", "reference"),
    [
        ((("all", 2), ("original", 1)), "original"),
        ((("all", 2), ("plain", 0), ("bare", 0)), "plain"),
        ((("all", 2), ("some", 1)), "all"),
    ],
)
def test_the_reference_is_original_or_the_first_without_rounds(
    variants: tuple[tuple[str, int], ...], reference: str
) -> None:
    assert reference_variant([name for name, _ in variants], described(*variants).plain) == reference
