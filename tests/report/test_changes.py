"""Which recommendations changed: ranks against a plain count, and examples that nobody picked."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_run import write_small_run

from genre.dataset import Dataset, load_dataset
from genre.errors import UsageError
from genre.report.changes import changes_of, clicked_ranks
from genre.report.run_folder import Run, read_run

SCORES = st.sampled_from([-1.5, 0.0, 0.25, 0.5, 2.0])
IMPRESSION = st.lists(st.tuples(SCORES, st.booleans()), min_size=1, max_size=8).filter(
    lambda each: any(c for _, c in each)
)


def plain_rank(impression: list[tuple[float, bool]]) -> int:
    ordered = sorted(range(len(impression)), key=lambda place: (-impression[place][0], place))
    return 1 + next(rank for rank, place in enumerate(ordered) if impression[place][1])


@given(st.lists(IMPRESSION, max_size=6))
def test_ranks_are_those_of_a_plain_sort(impressions: list[list[tuple[float, bool]]]) -> None:
    scores = pl.Series([[score for score, _ in each] for each in impressions], dtype=pl.List(pl.Float32))
    labels = pl.Series([[int(clicked) for _, clicked in each] for each in impressions], dtype=pl.List(pl.UInt8))
    assert clicked_ranks(scores, labels).tolist() == [plain_rank(each) for each in impressions]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return read_run(write_small_run(tmp_path / "run"))


@pytest.fixture
def dataset(run: Run) -> Dataset:
    return load_dataset(run.datasets["original"])


def test_every_variant_tells_how_often_the_click_rose_and_fell(run: Run, dataset: Dataset) -> None:
    titles, everything = changes_of(run, "dev", dataset)
    assert (titles.compared.variant, titles.compared.baseline, titles.compared.seed) == ("titles", "nrms", 0)
    assert (titles.better, titles.worse, titles.same) == (1, 1, 0)
    assert titles.impressions == 2
    assert everything.compared.variant == "everything"


def test_one_example_rose_and_one_fell(run: Run, dataset: Dataset) -> None:
    rose, fell = changes_of(run, "dev", dataset)[0].examples
    assert (rose.better, rose.before, rose.after, rose.candidates) == (True, 2, 1, 2)
    assert (fell.better, fell.before, fell.after) == (False, 1, 2)
    assert [each.title for each in rose.top_before] == ["The last wild coast", "Five sets, one winner"]
    assert [each.clicked for each in rose.top_after] == [True, False]
    assert fell.history == ("Late goal wins it", "Five sets, one winner", "What to eat now")


def test_a_run_that_kept_no_scores_has_no_changes(run: Run, dataset: Dataset) -> None:
    for path in run.folder.glob("cells/*/impressions-dev.parquet"):
        pl.read_parquet(path).drop("scores").write_parquet(path)
    assert changes_of(run, "dev", dataset) == []


def test_impressions_with_scores_of_other_candidates_are_left_out(run: Run, dataset: Dataset) -> None:
    for path in run.folder.glob("cells/*/impressions-dev.parquet"):
        table = pl.read_parquet(path)
        table.with_columns(scores=pl.col("scores").list.head(1)).write_parquet(path)
    assert [each.impressions for each in changes_of(run, "dev", dataset)] == [0, 0]


def test_a_damaged_file_of_scores_is_named(run: Run, dataset: Dataset) -> None:
    path = run.cells["titles", "nrms", 0] / "impressions-dev.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(UsageError, match=r"impressions-dev\.parquet"):
        changes_of(run, "dev", dataset)


@pytest.mark.parametrize(
    "wrong",
    [
        pl.lit(1).alias("impression"),
        pl.lit(1).alias("reader"),
        pl.lit(1.0).alias("scores"),
        pl.lit("x").alias("scores"),
    ],
    ids=["impression", "reader", "scores", "texts"],
)
def test_scores_of_another_type_are_told(run: Run, dataset: Dataset, wrong: pl.Expr) -> None:
    path = run.cells["original", "nrms", 0] / "impressions-dev.parquet"
    pl.read_parquet(path).with_columns(wrong).write_parquet(path)
    with pytest.raises(UsageError, match="the scores of the impressions cannot be read: its columns are") as raised:
        changes_of(run, "dev", dataset)
    assert raised.value.where == str(path)
