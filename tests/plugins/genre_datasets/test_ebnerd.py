"""The reader `ebnerd` on small files of its format."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from dataset.ebnerd_files import TIME, row, write_articles, write_bundle, write_split
from hypothesis import given, settings
from hypothesis import strategies as st

from genre.dataset import Dangling, Dataset, check_rows
from genre.errors import UsageError
from genre_datasets import parquet
from genre_datasets.ebnerd import EbnerdOptions, ebnerd_rows, read_ebnerd


def read(folder: Path, *, body: bool = False, dangling: Dangling = "error") -> Dataset:
    return read_ebnerd(EbnerdOptions(folder, body, dangling))


def names(dataset: Dataset, positions: list[int]) -> list[str]:
    return dataset.news["id"].gather(positions).to_list()


def rows(dataset: Dataset) -> list[tuple[str, str, list[str], list[str], list[int] | None]]:
    """Split, user, history, candidates and labels of each impression."""
    return [
        (
            split,
            dataset.readers["user"][reader],
            names(dataset, dataset.readers["history"][reader].to_list()),
            names(dataset, candidates),
            labels,
        )
        for split, reader, candidates, labels in dataset.impressions.select(
            "split", "reader", "candidates", "labels"
        ).iter_rows()
    ]


def test_a_bundle_is_read_as_eb_nerd_means_it(tmp_path: Path) -> None:
    write_bundle(tmp_path)
    dataset = read(tmp_path)
    assert rows(dataset) == [
        ("train", "7", ["103", "104"], ["101", "102"], [1, 0]),
        ("train", "8", [], ["103", "102"], [0, 1]),
        ("dev", "7", ["101"], ["104", "101"], [1, 0]),
    ]
    assert dataset.impressions["time"].unique().to_list() == [TIME]
    assert dataset.impressions["id"].to_list() == ["1", "2", "3"]


def test_an_article_s_subtitle_is_its_abstract(tmp_path: Path) -> None:
    write_bundle(tmp_path)
    dataset = read(tmp_path)
    assert dataset.text("title").to_list() == ["En titel", "To", "Tre", "Fire"]
    assert dataset.text("abstract").to_list() == ["Mere", "", "", "x"]
    assert dataset.news["category"].to_list() == ["sport", "nyheder", "sport", "krimi"]
    assert dataset.news["subcategory"].to_list() == ["196", "", "", "5"]
    assert dataset.text_fields == ["abstract", "title"]


def test_bodies_are_read_if_they_are_wanted(tmp_path: Path) -> None:
    write_bundle(tmp_path)
    assert read(tmp_path, body=True).text("body").to_list() == ["Tekst", "b", "c", "d"]


def test_a_split_without_clicks_has_no_labels(tmp_path: Path) -> None:
    write_articles(tmp_path)
    write_split(tmp_path / "test", [row()], labelled=False)
    assert [labels for *_, labels in rows(read(tmp_path))] == [None]


def test_a_row_without_clicks_has_no_labels_and_an_empty_list_has_zeros(tmp_path: Path) -> None:
    write_articles(tmp_path)
    write_split(tmp_path / "train", [row(clicked=None), row(clicked=()), row((102, 101), (101,))])
    assert [labels for *_, labels in rows(read(tmp_path))] == [None, [0, 0], [0, 1]]


def test_what_was_clicked_out_of_view_is_no_candidate(tmp_path: Path) -> None:
    write_articles(tmp_path)
    write_split(tmp_path / "train", [row((101, 102), (104, 102))])
    [(*_, candidates, labels)] = rows(read(tmp_path))
    assert (candidates, labels) == (["101", "102"], [0, 1])


def test_a_view_of_nothing_is_left_out_and_counted(tmp_path: Path) -> None:
    write_articles(tmp_path)
    write_split(tmp_path / "train", [row(), row((), ()), row(None, None)])
    dataset = read(tmp_path)
    assert dataset.impressions.height == 1
    assert dataset.lineage[0].details["impressions_without_candidates"] == 2


def test_bundles_beside_each_other_are_read_together(tmp_path: Path) -> None:
    write_bundle(tmp_path / "ebnerd_small")
    write_articles(tmp_path / "ebnerd_testset", article_id=[101, 102, 103, 105])
    write_split(tmp_path / "ebnerd_testset" / "test", [row((105, 101), number=9)], labelled=False)
    dataset = read(tmp_path)
    assert dataset.splits == ["dev", "test", "train"]
    assert dataset.news["id"].to_list() == ["101", "102", "103", "104", "105"]


def test_slices_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_articles(tmp_path)
    write_split(tmp_path / "train", [row((101, 102, 103), (each % 3 + 101,), number=each) for each in range(11)])
    whole = read(tmp_path)
    monkeypatch.setattr(parquet, "ROWS_AT_A_TIME", 3)
    assert read(tmp_path).fingerprint == whole.fingerprint


def test_dangling_ids_are_told_with_their_row_or_dropped_and_counted(tmp_path: Path) -> None:
    write_articles(tmp_path)
    write_split(tmp_path / "train", [row(), row((101, 999), (101,))], {7: [998]})
    with pytest.raises(UsageError, match=r"'998'"):
        read(tmp_path)
    details = read(tmp_path, dangling="drop").lineage[0].details
    assert (details["dangling_history_ids"], details["dangling_candidate_ids"]) == (2, 1)
    found = {each.kind.name: each for each in check_rows(ebnerd_rows(EbnerdOptions(tmp_path)))}
    assert found["dangling-candidates"].where == f"{tmp_path}/train/behaviors.parquet:2"


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "no impression id": (row(number=None), r"behaviors.parquet, row 2: the impression_id is missing"),
    "no user": (row(user=None), r"behaviors.parquet, row 2: the user_id is missing"),
}


@pytest.mark.parametrize(("bad", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_bad_row_is_told_with_its_number(tmp_path: Path, bad: dict[str, Any], message: str) -> None:
    write_articles(tmp_path)
    write_split(tmp_path / "train", [row(), bad])
    with pytest.raises(UsageError, match=message):
        read(tmp_path)


def test_an_article_without_an_id_is_told(tmp_path: Path) -> None:
    write_bundle(tmp_path)
    write_articles(tmp_path, article_id=[101, None, 103, 104])
    with pytest.raises(UsageError, match=r"articles.parquet, row 2: the article has no id"):
        read(tmp_path)


def test_a_user_with_two_histories_is_told(tmp_path: Path) -> None:
    write_bundle(tmp_path)
    pl.DataFrame({"user_id": [7, 7], "article_id_fixed": [[101], [102]]}).write_parquet(
        tmp_path / "train" / "history.parquet"
    )
    with pytest.raises(UsageError, match=r"history.parquet, row 2: the user stands in an earlier row"):
        read(tmp_path)


def test_a_missing_column_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    write_bundle(tmp_path)
    pl.DataFrame({"user": [7]}).write_parquet(tmp_path / "train" / "history.parquet")
    with pytest.raises(UsageError, match=r"there is no column 'user_id' among user"):
        read(tmp_path)


def test_a_column_of_something_else_is_told(tmp_path: Path) -> None:
    write_bundle(tmp_path)
    pl.DataFrame({"user_id": [7.5], "article_id_fixed": [[101]]}).write_parquet(tmp_path / "train" / "history.parquet")
    with pytest.raises(UsageError, match=r"the column 'user_id' holds Float64, and whole numbers or texts"):
        read(tmp_path)


@pytest.mark.parametrize("content", [b"", b"PAR1 no parquet PAR1"], ids=["empty", "text"])
def test_a_damaged_file_is_told(tmp_path: Path, content: bytes) -> None:
    write_bundle(tmp_path)
    (tmp_path / "train" / "behaviors.parquet").write_bytes(content)
    with pytest.raises(UsageError, match=r"behaviors.parquet: the file cannot be read"):
        read(tmp_path)


def test_damage_at_which_polars_gives_up_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gives_up(*_: object, **__: object) -> None:
        raise pl.exceptions.PanicException("called `Option::unwrap()` on a `None` value")

    write_bundle(tmp_path)
    monkeypatch.setattr(pl, "scan_parquet", gives_up)
    with pytest.raises(UsageError, match="the file cannot be read"):
        read(tmp_path)


@pytest.mark.parametrize("missing", ["articles.parquet", "train/history.parquet", "train/behaviors.parquet"])
def test_a_missing_file_is_told(tmp_path: Path, missing: str) -> None:
    write_bundle(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(UsageError, match="there is no"):
        read(tmp_path)


def test_two_bundles_with_one_split_are_told(tmp_path: Path) -> None:
    write_bundle(tmp_path / "demo")
    write_bundle(tmp_path / "small")
    with pytest.raises(UsageError, match="demo and small both have a folder train"):
        read(tmp_path)


IDS = st.integers(101, 104)


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.lists(IDS, min_size=1, max_size=5), st.one_of(st.none(), st.lists(IDS, max_size=3))),
        min_size=1,
        max_size=8,
    )
)
def test_labels_say_what_was_clicked(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[list[int], list[int] | None]]
) -> None:
    folder = tmp_path_factory.mktemp("ebnerd")
    write_articles(folder)
    write_split(folder / "train", [row(inview, clicked, number=each) for each, (inview, clicked) in enumerate(drawn)])
    expected = [
        ([str(each) for each in inview], None if clicked is None else [int(each in clicked) for each in inview])
        for inview, clicked in drawn
    ]
    assert [(candidates, labels) for *_, candidates, labels in rows(read(folder))] == expected
