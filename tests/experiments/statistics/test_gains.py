"""What variants gain over the reference: of figures that are made here, and of a small run."""

from collections.abc import Mapping

import numpy as np
import pytest

from genre.experiments.statistics.bootstrap import paired_difference
from genre.experiments.statistics.description import RunDescription, RunVariant, reference_variant
from genre.experiments.statistics.figures import CellFigures, SplitFigures
from genre.experiments.statistics.gains import Gain, find_gains
from genre.experiments.statistics.permutation import detectable_difference, holm, permutation_test
from genre.modeling import FeatureSettings
from genre.modeling.metrics import METRICS

IMPRESSIONS = 60
USERS = np.arange(IMPRESSIONS) // 3
IS_NEW = USERS % 3 == 0
SEGMENTS = {"all": np.ones(IMPRESSIONS, np.bool_), "new": IS_NEW, "warm": ~IS_NEW}
HARDNESS = np.random.default_rng(0).random(IMPRESSIONS)


def metrics_of(variant: str, baseline: str, seeds: int) -> np.ndarray:
    """Metrics of each seed's model (S, I, 4)."""
    random = np.random.default_rng([ord(variant[0]), ord(baseline[0])])
    gain = 0.05 if variant in ("better", "leaky") else 0.0
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
    (variant, "popularity"): cell_of(metrics_of("original", "popularity", 1), seeds=(), leaked=variant == "leaky")
    for variant in ("original", "better", "alike", "leaky")
}
CELLS |= {
    (variant, "tf-idf"): cell_of(metrics_of(variant, "tf-idf", 1), seeds=(), leaked=variant == "leaky")
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
    assert len(GAINS) == len(places) == 3 * 4 * 3 * 4
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


def family_of(metric: str, *, over_all: bool) -> list[Gain]:
    """What is claimed if it is significant: of trained models, without a leak."""
    return [
        each
        for each in GAINS
        if each.metric == metric
        and (each.segment == "all") == over_all
        and each.variant != "leaky"
        and each.baseline not in ("popularity", "tf-idf")
    ]


@pytest.mark.parametrize("metric", METRICS)
def test_a_family_is_all_variants_and_trained_baselines_of_a_metric_over_all_readers(metric: str) -> None:
    family = family_of(metric, over_all=True)
    assert {each.family for each in family} == {len(family)} == {4}
    np.testing.assert_allclose([each.p_holm for each in family], holm([each.p for each in family]))


def test_new_and_warm_readers_are_a_family_of_their_own() -> None:
    family = family_of("auc", over_all=False)
    assert {each.family for each in family} == {len(family)} == {8}
    np.testing.assert_allclose([each.p_holm for each in family], holm([each.p for each in family]))


@pytest.mark.parametrize(("variant", "baseline"), [("leaky", "nrms"), ("better", "tf-idf")])
def test_what_can_never_be_claimed_is_no_hypothesis(variant: str, baseline: str) -> None:
    gain = gain_of(variant, baseline)
    assert gain.p < 0.05
    assert gain.p_holm is None
    assert not gain.is_significant


def test_a_reference_that_leaks_leaves_no_hypothesis() -> None:
    gains = find_gains(figures_of(CELLS), "leaky")
    assert {each.family for each in gains} == {0}
    assert {each.p_holm for each in gains} == {None}


def test_where_nothing_is_trained_untrained_baselines_are_what_is_asked() -> None:
    untrained = {place: cell for place, cell in CELLS.items() if not cell.seeds}
    gains = [each for each in find_gains(figures_of(untrained), "original") if each.metric == "mrr"]
    asked = [each for each in gains if each.segment == "all" and each.baseline == "tf-idf" and not each.leaked]
    assert {each.family for each in asked} == {len(asked)} == {2}
    np.testing.assert_allclose([each.p_holm for each in asked], holm([each.p for each in asked]))


def test_trained_models_without_a_common_seed_are_a_hypothesis_all_the_same() -> None:
    cells = {
        ("original", "nrms"): CELLS["original", "nrms"],
        ("better", "nrms"): cell_of(metrics_of("better", "nrms", 1), seeds=(7,)),
    }
    [gain] = [
        each for each in find_gains(figures_of(cells), "original") if (each.segment, each.metric) == ("all", "auc")
    ]
    assert (gain.seeds, gain.family, gain.p_holm) == (0, 1, gain.p)


def test_what_no_variant_changes_tests_nothing() -> None:
    gain = gain_of("better", "popularity")
    assert (gain.equal, gain.p, gain.p_holm, gain.seeds) == (True, 1.0, None, 0)
    assert (gain.difference.mean, gain.difference.low, gain.difference.high, gain.effect) == (0, 0, 0, 0)


def test_equal_sides_of_a_trained_baseline_have_p_1_and_do_not_count() -> None:
    cells = {(variant, "nrms"): CELLS["original", "nrms"] for variant in ("original", "same")}
    cells["better", "nrms"] = CELLS["better", "nrms"]
    gains = [
        each for each in find_gains(figures_of(cells), "original") if (each.segment, each.metric) == ("all", "auc")
    ]
    assert {each.variant: (each.equal, each.family) for each in gains} == {"same": (True, 1), "better": (False, 1)}
    assert [each.p_holm for each in gains if each.equal] == [1.0]


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
