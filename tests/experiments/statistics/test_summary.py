"""What a run's summary says, from rows and impressions that are made here."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs
import numpy as np
import polars as pl
import pytest
from markdown_it import MarkdownIt

from genre.errors import UsageError
from genre.experiments.results import Cell, UntrainedCell, result_rows
from genre.experiments.statistics.bootstrap import Interval, bootstrap_interval, paired_difference
from genre.experiments.statistics.gains import Comparison
from genre.experiments.statistics.summary import Summary, summarize_run
from genre.experiments.statistics.summary_files import write_summary
from genre.experiments.statistics.summary_page import as_markdown
from genre.modeling import summarize
from genre.modeling.metrics import METRICS

IMPRESSIONS = 40
USERS = np.arange(IMPRESSIONS) // 2  # two impressions each
RANKED = np.delete(np.arange(IMPRESSIONS), 3)
random = np.random.default_rng(0)
HARDNESS = random.random(IMPRESSIONS) * 0.5
AUC: Mapping[Cell | UntrainedCell, np.ndarray] = {
    UntrainedCell("original", "popularity"): HARDNESS,
    Cell("original", "dcn", 0): HARDNESS + random.normal(0, 0.05, IMPRESSIONS),
    Cell("original", "nrms", 0): HARDNESS + 0.2,
    Cell("original", "nrms", 1): HARDNESS + 0.21,
}


def a_run(folder: Path, *, leaked: bool = False) -> list[dict[str, object]]:
    """A run folder with the impressions of each cell; every fourth reader is new, and one has nothing to rank."""
    rows: list[dict[str, object]] = []
    for cell, auc in AUC.items():
        table = pl.DataFrame(
            {
                "impression": [f"I{number}" for number in range(IMPRESSIONS)],
                "reader": [f"U@{user:02}@{number:012x}" for number, user in enumerate(USERS)],
                "is_new": [number % 4 == 0 for number in range(IMPRESSIONS)],
                **dict.fromkeys(METRICS, auc),
            }
        ).with_columns(auc=pl.when(pl.col("impression") != "I3").then("auc"))
        (folder / "cells" / cell.name).mkdir(parents=True)
        table.write_parquet(folder / "cells" / cell.name / "impressions-test.parquet")
        rows += result_rows(cell, "test", summarize(table), leaked=leaked)
    return rows


def row_of(summary: Summary, baseline: str, segment: str) -> Mapping[str, object]:
    [row] = [row for row in summary.rows if (row["baseline"], row["segment"]) == (baseline, segment)]
    return row


def pairs(comparisons: Sequence[Comparison]) -> dict[tuple[str, str], bool]:
    return {(each.first, each.second): each.told_apart for each in comparisons}


def test_a_row_has_means_over_seeds_and_the_interval_of_their_average(tmp_path: Path) -> None:
    summary = summarize_run(tmp_path, a_run(tmp_path))
    expected = bootstrap_interval(HARDNESS[RANKED] + 0.205, users=USERS[RANKED])
    row = row_of(summary, "nrms", "all")
    assert row["seeds"] == 2
    assert row["impressions"] == IMPRESSIONS - 1
    assert (row["auc"], row["auc_low"], row["auc_high"]) == pytest.approx((expected.mean, expected.low, expected.high))
    assert row_of(summary, "popularity", "all")["seeds"] == 0


def test_segments_have_intervals_of_their_own(tmp_path: Path) -> None:
    summary = summarize_run(tmp_path, a_run(tmp_path))
    expected = bootstrap_interval(HARDNESS[::4])
    row = row_of(summary, "popularity", "new")
    assert (row["auc"], row["auc_low"], row["auc_high"]) == pytest.approx((expected.mean, expected.low, expected.high))


def test_each_two_baselines_are_compared_best_first(tmp_path: Path) -> None:
    summary = summarize_run(tmp_path, a_run(tmp_path))
    second, third = ("dcn", "popularity") if np.delete(AUC[Cell("original", "dcn", 0)] - HARDNESS, 3).mean() > 0 else (
        "popularity", "dcn",
    )  # fmt: skip
    assert pairs(summary.comparisons) == {("nrms", second): True, ("nrms", third): True, (second, third): False}
    [nrms] = [each for each in summary.comparisons if (each.first, each.second) == ("nrms", "popularity")]
    by_seed = np.broadcast_to([[0.2], [0.21]], (2, len(RANKED)))
    over_seeds = paired_difference(by_seed, np.zeros_like(by_seed))
    assert nrms.difference.mean == pytest.approx(0.205)
    assert nrms.difference.low == pytest.approx(over_seeds.low, abs=5e-3)
    assert nrms.difference.high == pytest.approx(over_seeds.high, abs=5e-3)
    [close] = [each for each in summary.comparisons if not each.told_apart]
    signed = 1 if close.first == "dcn" else -1
    expected = paired_difference(
        signed * AUC[Cell("original", "dcn", 0)][RANKED], signed * HARDNESS[RANKED], users=USERS[RANKED]
    )
    assert close.difference.low == pytest.approx(expected.low)
    assert close.difference.high == pytest.approx(expected.high)


def test_a_sentence_says_what_beats_what() -> None:
    clear = Comparison("original", "test", "nrms", "tf-idf", Interval(0.041, 0.0302, 0.0518), leaked=False)
    open_ = Comparison("original", "test", "nrms", "dcn", Interval(0.004, -0.002, 0.01), leaked=False)
    assert clear.sentence == "nrms beats tf-idf by 0.041 [0.030, 0.052]"
    assert open_.sentence == "nrms and dcn cannot be told apart: 0.004 [-0.002, 0.010]"


def test_both_files_are_written(tmp_path: Path) -> None:
    summary = write_summary(tmp_path, "tiny", a_run(tmp_path, leaked=True))
    value = json.loads((tmp_path / "summary.json").read_text())
    assert (value["level"], value["resamples"]) == (0.95, 10_000)
    assert value["rows"] == [dict(row) for row in summary.rows]
    assert len(value["comparisons"]) == 3
    assert set(value["comparisons"][0]) == {
        "variant", "split", "first", "second", "difference", "low", "high", "told_apart", "leaked",
    }  # fmt: skip
    text = (tmp_path / "summary.md").read_text()
    assert text.startswith("# tiny\n")
    assert "original (leaked), AUC over all readers:" in text
    assert "- nrms beats popularity by 0.205 [" in text
    assert "| original (leaked) | popularity | new | " in text


def test_a_category_is_a_text_and_no_markup(tmp_path: Path) -> None:
    category = "[a](javascript:alert(1)) ![b](http://example.org/c) <script>| \x1b[31mred"
    summary = summarize_run(tmp_path, a_run(tmp_path))
    place = {"variant": "original", "baseline": "nrms", "split": "test", "by": "category", "segment": category}
    text = as_markdown("tiny", attrs.evolve(summary, segments=[{**place, "auc": 0.5, "impressions": 4}]))
    assert "\x1b" not in text
    cells = [cell for cell in MarkdownIt().enable("table").render(text).split("<td>") if "javascript" in cell]
    shown = "[a](javascript:alert(1)) ![b](http://example.org/c) &lt;script&gt;| \\x1b[31mred"
    assert [cell.partition("</td>")[0] for cell in cells] == [shown]


def test_a_split_without_labels_has_no_intervals_and_no_comparisons(tmp_path: Path) -> None:
    rows = a_run(tmp_path)
    for path in tmp_path.glob("cells/*/*.parquet"):
        pl.read_parquet(path).with_columns(auc=pl.lit(None, pl.Float64)).write_parquet(path)
    hidden = [{**row, **dict.fromkeys(METRICS), "impressions": 0} for row in rows]
    summary = summarize_run(tmp_path, hidden)
    assert {row["auc_low"] for row in summary.rows} == {None}
    assert summary.comparisons == []
    assert "| original | nrms | all | - | - |" in as_markdown("tiny", summary)


def test_missing_impressions_name_the_folder_to_delete(tmp_path: Path) -> None:
    rows = a_run(tmp_path)
    (tmp_path / "cells" / "original-nrms-1" / "impressions-test.parquet").unlink()
    with pytest.raises(UsageError, match="cannot be read") as caught:
        summarize_run(tmp_path, rows)
    assert "original-nrms-1, and run again" in str(caught.value)


def test_other_impressions_are_not_compared(tmp_path: Path) -> None:
    rows = a_run(tmp_path)
    path = tmp_path / "cells" / "original-dcn-0" / "impressions-test.parquet"
    pl.read_parquet(path).reverse().write_parquet(path)
    with pytest.raises(UsageError, match="original, dcn on test are not those of the other cells"):
        summarize_run(tmp_path, rows)
