"""Rows with string ids become a data set, whole or block by block."""

from datetime import datetime

import polars as pl
import pytest
from small_data import NEWS

import genre.dataset.assembly
import genre.dataset.fingerprint
from genre.dataset import Dataset, assemble
from genre.dataset.assembly import Dangling
from genre.errors import UsageError

NEWS_TABLE = pl.DataFrame(NEWS, schema=["id", "category", "subcategory", "title", "abstract"], orient="row")


def behaviors(*rows: tuple[list[str], list[str]]) -> pl.DataFrame:
    """Impressions of one user, from histories and candidates, of which the first is clicked."""
    return pl.DataFrame(
        [
            {
                "impression": str(line),
                "split": "train",
                "user": "U1",
                "time": datetime(2019, 11, 11, 9, 5, 58),
                "history": history,
                "candidates": candidates,
                "labels": [1] + [0] * (len(candidates) - 1),
                "file": "behaviors.tsv",
                "line": line,
            }
            for line, (history, candidates) in enumerate(rows, start=1)
        ],
        schema_overrides={"history": pl.List(pl.String), "labels": pl.List(pl.UInt8)},
    )


ROWS = behaviors(
    (["N1", "N2"], ["N3", "N4"]),
    ([], ["N1"]),
    (["N1", "N2"], ["N5", "N6", "N1"]),
    (["N2", "N1"], ["N2"]),
)
DANGLING = behaviors((["N1"], ["N2", "N3"]), (["N1", "X1", "X2"], ["N2", "X3", "N4"]), (["X4"], ["X5"]))


def assembled(rows: pl.DataFrame, height: int) -> Dataset:
    return assemble(NEWS_TABLE, rows.iter_slices(height), dangling="drop", source={"reader": "test"})


@pytest.mark.parametrize("rows", [ROWS, DANGLING])
@pytest.mark.parametrize("height", [1, 2])
def test_blocks_make_the_same_data_set_as_the_whole(rows: pl.DataFrame, height: int) -> None:
    whole = assemble(NEWS_TABLE, rows, dangling="drop", source={"reader": "test"})
    cut = assembled(rows, height)
    assert cut.fingerprint == whole.fingerprint
    assert cut.lineage == whole.lineage


def test_a_whole_table_is_resolved_some_rows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = assembled(ROWS, 10)
    monkeypatch.setattr(genre.dataset.assembly, "_ROWS_AT_A_TIME", 1)
    cut = assemble(NEWS_TABLE, ROWS, dangling="drop", source={"reader": "test"})
    assert cut.fingerprint == whole.fingerprint


def test_readers_are_shared_across_blocks() -> None:
    dataset = assembled(ROWS, 1)
    assert dataset.impressions["reader"].to_list() == [0, 1, 0, 2]
    assert dataset.readers["history"].to_list() == [[0, 1], [], [1, 0]]


def test_dropped_ids_take_their_labels_with_them_and_are_counted_over_all_blocks() -> None:
    dataset = assembled(DANGLING, 1)
    assert dataset.impressions["candidates"].to_list() == [[1, 2], [1, 3]]
    assert dataset.impressions["labels"].to_list() == [[1, 0], [1, 0]]
    details = dataset.lineage[0].details
    assert (details["dangling_history_ids"], details["dangling_candidate_ids"]) == (3, 2)
    assert details["impressions_without_candidates"] == 1


def test_a_dangling_id_is_told_with_its_line_and_the_count_of_all_blocks() -> None:
    with pytest.raises(UsageError, match=r"history name the news 'X1'.*3 such ids in all") as caught:
        assemble(NEWS_TABLE, DANGLING.iter_slices(1), source={"reader": "test"})
    assert "behaviors.tsv:2" in str(caught.value)


def test_no_block_at_all_makes_a_data_set_without_impressions() -> None:
    dataset = assemble(NEWS_TABLE, [], source={"reader": "test"})
    assert (dataset.news.height, dataset.readers.height, dataset.impressions.height) == (6, 0, 0)


def test_the_fingerprint_is_the_same_however_few_rows_are_hashed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = assembled(ROWS, 10).fingerprint
    monkeypatch.setattr(genre.dataset.fingerprint, "_NUMBERS_AT_A_TIME", 2)
    monkeypatch.setattr(genre.dataset.fingerprint, "_TEXTS_AT_A_TIME", 1)
    assert assembled(ROWS, 10).fingerprint == whole


@pytest.mark.parametrize("labels", [[1, 0], [1, 0, 2], [1, 0, -1], [1, 0, None], []])
@pytest.mark.parametrize("dangling", ["error", "drop"])
@pytest.mark.parametrize("last", ["N1", "N9"])
def test_labels_that_do_not_fit_are_told_with_their_line(
    labels: list[int | None], dangling: Dangling, last: str
) -> None:
    news = pl.DataFrame({"id": ["N1", "N2"], "title": ["a", "b"], "abstract": ["", ""]})
    row = {"impression": "1", "split": "train", "user": "U1", "time": None, "history": []}
    behaviors = pl.DataFrame(
        [{**row, "candidates": ["N1", "N2", last], "labels": labels, "file": "mine.tsv", "line": 7}],
        schema_overrides={"labels": pl.List(pl.Int64), "history": pl.List(pl.String), "time": pl.Datetime("us")},
    )
    with pytest.raises(UsageError, match="not 0 or 1 for each of 3 candidates") as raised:
        assemble(news, behaviors, dangling=dangling, source={})
    assert raised.value.where == "mine.tsv:7"
