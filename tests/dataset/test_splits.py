"""Cutting a split into two."""

import attrs
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_data import small_dataset

from genre.dataset import Dataset, split_impressions
from genre.errors import UsageError


def many(count: int = 400) -> Dataset:
    """The small data set with this many dev impressions, and one in train."""
    dataset = small_dataset()
    row = dataset.impressions.slice(2, 1)
    rows = pl.concat([row.with_columns(id=pl.lit(str(number))) for number in range(count)])
    return attrs.evolve(dataset, impressions=pl.concat([dataset.impressions.head(1), rows]))


def part_of(dataset: Dataset) -> dict[str, str]:
    return dict(dataset.impressions.filter(pl.col("split") != "train").select("id", "split").iter_rows())


def test_every_impression_lands_in_one_part_and_the_rest_stays() -> None:
    dataset = many()
    cut = split_impressions(dataset)
    assert cut.impressions.drop("split").equals(dataset.impressions.drop("split"))
    assert cut.impressions["split"][0] == "train"
    assert set(part_of(cut).values()) == {"dev", "test"}


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_the_first_part_has_about_the_share(share: float) -> None:
    parts = list(part_of(split_impressions(many(2000), share=share)).values())
    assert abs(parts.count("dev") / len(parts) - share) < 0.05


@given(st.permutations(range(30)))
def test_the_cut_depends_neither_on_order_nor_on_other_rows(order: list[int]) -> None:
    dataset = many(30)
    rows = dataset.impressions.slice(1)
    shuffled = attrs.evolve(dataset, impressions=rows[order].head(20))
    whole = part_of(split_impressions(dataset))
    assert part_of(split_impressions(shuffled)).items() <= whole.items()


def test_another_seed_is_another_cut_and_the_same_seed_the_same() -> None:
    dataset = many()
    assert part_of(split_impressions(dataset, seed=1)) == part_of(split_impressions(dataset, seed=1))
    assert part_of(split_impressions(dataset, seed=1)) != part_of(split_impressions(dataset, seed=2))


def test_the_old_data_set_stays_and_the_lineage_grows() -> None:
    dataset = many()
    cut = split_impressions(dataset, into=("a", "b"), share=0.25, seed=3)
    assert dataset.splits == ["dev", "train"]
    assert cut.splits == ["a", "b", "train"]
    assert cut.lineage[:-1] == dataset.lineage
    assert cut.lineage[-1].operation == "split"
    assert cut.lineage[-1].details == {"split": "dev", "into": ["a", "b"], "share": 0.25, "seed": 3}


def test_an_unknown_split_is_an_error_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'dev'"):
        split_impressions(small_dataset(), split="dve")


def test_a_part_that_would_mix_with_another_split_is_an_error() -> None:
    with pytest.raises(UsageError, match="'train' already"):
        split_impressions(small_dataset(), into=("dev", "train"))


def test_two_parts_of_one_name_are_an_error() -> None:
    with pytest.raises(UsageError, match="both parts are called 'dev'"):
        split_impressions(small_dataset(), into=("dev", "dev"))


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, float("nan")])
def test_a_share_outside_0_and_1_is_an_error(share: float) -> None:
    with pytest.raises(UsageError, match="not between 0 and 1"):
        split_impressions(small_dataset(), share=share)
