"""The reader `mind` on rows as they should be, and on odd but valid ones."""

import hashlib
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from dataset.mind_files import NEWS, behavior, read, write_split

from genre.dataset import Dataset


def ids(dataset: Dataset, positions: list[int]) -> list[str]:
    return dataset.news["id"].gather(positions).to_list()


def history(dataset: Dataset, impression: int) -> list[str]:
    row = dataset.impressions.row(impression, named=True)
    return ids(dataset, dataset.readers["history"][row["reader"]].to_list())


def candidates(dataset: Dataset, impression: int) -> list[str]:
    return ids(dataset, dataset.impressions["candidates"][impression].to_list())


def test_a_labelled_row_is_read_as_mind_means_it(tmp_path: Path) -> None:
    write_split(tmp_path / "train", [behavior("N1-1 N2-0", number="7", history="N3 N1")])
    dataset = read(tmp_path)
    assert dataset.impressions["id"].to_list() == ["7"]
    assert dataset.impressions["split"].to_list() == ["train"]
    assert dataset.impressions["time"].to_list() == [datetime(2019, 11, 11, 9, 5, 58)]
    assert dataset.impressions["labels"].to_list() == [[1, 0]]
    assert candidates(dataset, 0) == ["N1", "N2"]
    assert history(dataset, 0) == ["N3", "N1"]
    assert dataset.readers["user"].to_list() == ["U1"]
    assert dataset.readers["clicks"].to_list() == [2]


def test_a_news_row_is_read_as_mind_means_it(tmp_path: Path) -> None:
    write_split(tmp_path / "train", [behavior()])
    dataset = read(tmp_path)
    assert dataset.news.row(0, named=True) == {
        "id": "N1",
        "origin": "original",
        "category": "sports",
        "subcategory": "soccer",
        "url": "https://x",
        "title_entities": "[]",
        "abstract_entities": "[]",
    }
    assert dataset.text("title").to_list() == ["A title", "Another", "A third"]
    assert dataset.text("abstract").to_list() == ["An abstract", "", "More"]


@pytest.mark.parametrize(
    ("written", "hour"), [("12:05:58 AM", 0), ("12:05:58 PM", 12), ("1:05:58 PM", 13), ("09:05:58 AM", 9)]
)
def test_the_clock_has_twelve_hours(tmp_path: Path, written: str, hour: int) -> None:
    write_split(tmp_path / "train", [behavior(time=f"1/2/2019 {written}")])
    assert read(tmp_path).impressions["time"].to_list() == [datetime(2019, 1, 2, hour, 5, 58)]


def test_unlabelled_impressions_have_no_labels(tmp_path: Path) -> None:
    write_split(tmp_path / "test", [behavior("N1 N2 N3")])
    dataset = read(tmp_path)
    assert dataset.impressions["labels"].to_list() == [None]
    assert candidates(dataset, 0) == ["N1", "N2", "N3"]


def test_a_split_may_have_labelled_and_unlabelled_rows(tmp_path: Path) -> None:
    write_split(tmp_path / "dev", [behavior("N1 N2"), behavior("N2-0 N1-1")])
    dataset = read(tmp_path)
    assert dataset.impressions["labels"].to_list() == [None, [0, 1]]
    assert candidates(dataset, 1) == ["N2", "N1"]


def test_the_label_stands_after_the_last_hyphen(tmp_path: Path) -> None:
    news = [row.replace("N1\t", "2019-N-1\t") for row in NEWS]
    write_split(tmp_path / "train", [behavior("2019-N-1-1 N2-0", history="2019-N-1")], news)
    dataset = read(tmp_path)
    assert candidates(dataset, 0) == ["2019-N-1", "N2"]
    assert history(dataset, 0) == ["2019-N-1"]


def test_unlabelled_ids_may_have_hyphens(tmp_path: Path) -> None:
    news = [row.replace("N1\t", "news-2019\t") for row in NEWS]
    write_split(tmp_path / "test", [behavior("news-2019 N2")], news)
    dataset = read(tmp_path)
    assert candidates(dataset, 0) == ["news-2019", "N2"]
    assert dataset.impressions["labels"].to_list() == [None]


@pytest.mark.parametrize("written", ["", " ", "   "])
def test_an_empty_history_is_a_reader_without_clicks(tmp_path: Path, written: str) -> None:
    write_split(tmp_path / "train", [behavior(history=written)])
    dataset = read(tmp_path)
    assert history(dataset, 0) == []
    assert dataset.readers["clicks"].to_list() == [0]


def test_superfluous_blanks_between_ids_mean_nothing(tmp_path: Path) -> None:
    write_split(tmp_path / "train", [behavior(" N1-1  N2-0 ", history=" N3   N1 ")])
    dataset = read(tmp_path)
    assert candidates(dataset, 0) == ["N1", "N2"]
    assert dataset.impressions["labels"].to_list() == [[1, 0]]
    assert history(dataset, 0) == ["N3", "N1"]


@pytest.mark.parametrize(
    "title", ['"Quoted" and "half', "'", "a\\tb \\N", "¡Olé! \u2028 \x85 \x0b", "\x00", "日本 🎉", "a\rb", "NULL", "#"]
)
def test_odd_characters_in_a_title_survive(tmp_path: Path, title: str) -> None:
    write_split(tmp_path / "train", [behavior()], [row.replace("A title", title) for row in NEWS])
    assert read(tmp_path).text("title")[0] == title


def test_windows_line_ends_are_not_part_of_the_last_column(tmp_path: Path) -> None:
    write_split(tmp_path / "unix" / "train", [behavior()])
    write_split(tmp_path / "windows" / "train", [behavior()], end="\r\n")
    assert read(tmp_path / "windows").fingerprint == read(tmp_path / "unix").fingerprint


def test_the_last_line_needs_no_line_end(tmp_path: Path) -> None:
    write_split(tmp_path / "train", [behavior(), behavior(number="2")])
    path = tmp_path / "train" / "behaviors.tsv"
    path.write_bytes(path.read_bytes().removesuffix(b"\n"))
    assert read(tmp_path).impressions.height == 2


def test_gzip_says_the_same_as_plain(tmp_path: Path) -> None:
    write_split(tmp_path / "plain" / "train", [behavior()])
    write_split(tmp_path / "packed" / "train", [behavior()], packed=True)
    assert read(tmp_path / "packed").fingerprint == read(tmp_path / "plain").fingerprint


def test_blocks_are_cut_between_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_split(tmp_path / "train", [behavior(number=str(number)) for number in range(50)])
    whole = read(tmp_path)
    monkeypatch.setattr("genre_datasets.tsv.BLOCK_BYTES", 7)
    cut = read(tmp_path)
    assert cut.fingerprint == whole.fingerprint
    assert cut.impressions.height == 50


def test_news_that_two_splits_have_keep_their_first_text(tmp_path: Path) -> None:
    write_split(tmp_path / "train", [behavior()])
    write_split(tmp_path / "dev", [behavior()], [row.replace("A title", "Changed") for row in reversed(NEWS)])
    dataset = read(tmp_path)
    assert dataset.news["id"].to_list() == ["N1", "N2", "N3"]
    assert dataset.text("title")[0] == "A title"


def test_impression_ids_may_repeat_across_splits(tmp_path: Path) -> None:
    write_split(tmp_path / "train", [behavior(number="1")])
    write_split(tmp_path / "dev", [behavior(number="1", user="U2")])
    assert read(tmp_path).impressions.select("id", "split").rows() == [("1", "train"), ("1", "dev")]


def test_a_longer_history_is_another_reader_and_the_same_one_is_not(tmp_path: Path) -> None:
    write_split(tmp_path / "train", [behavior(history="N3"), behavior(history="N3", user="U2")])
    write_split(tmp_path / "dev", [behavior(history="N3"), behavior(history="N3 N1")])
    dataset = read(tmp_path)
    assert dataset.impressions["reader"].to_list() == [0, 1, 0, 2]
    assert dataset.readers["user"].to_list() == ["U1", "U2", "U1"]
    assert dataset.readers["id"].n_unique() == 3


def test_the_order_of_a_history_makes_the_reader(tmp_path: Path) -> None:
    write_split(tmp_path / "train", [behavior(history="N3 N1"), behavior(history="N1 N3")])
    assert read(tmp_path).readers.height == 2


def test_a_reader_has_the_same_id_in_every_data_set(tmp_path: Path) -> None:
    write_split(tmp_path / "one" / "train", [behavior(history="N3 N1")])
    write_split(tmp_path / "two" / "train", [behavior(user="U9"), behavior(history="N3 N1")], list(reversed(NEWS)))
    assert read(tmp_path / "two").readers["id"][1] == read(tmp_path / "one").readers["id"][0]


def test_splits_are_found_by_their_names_in_mind(tmp_path: Path) -> None:
    write_split(tmp_path / "MINDsmall_train", [behavior()])
    write_split(tmp_path / "MINDsmall_dev", [behavior()])
    assert read(tmp_path).splits == ["dev", "train"]


def test_the_option_splits_names_folders(tmp_path: Path) -> None:
    for folder in ("a", "b/c", "train"):
        write_split(tmp_path / folder, [behavior()])
    dataset = read(tmp_path, splits={"train": "a", "valid": "b/c"})
    assert dataset.impressions["split"].to_list() == ["train", "valid"]


def test_dropped_ids_leave_history_and_candidates_with_their_labels(tmp_path: Path) -> None:
    rows = [
        behavior("N1-0 N8-1 N2-1", history="N9 N3 N9 N1"),
        behavior("N8 N2 N1", number="2", history="N9"),
        behavior("N8-1 N9-0", number="3"),
        behavior("N2-1 N1-0", number="4"),
    ]
    write_split(tmp_path / "train", rows)
    dataset = read(tmp_path, dangling="drop")
    assert dataset.impressions["id"].to_list() == ["1", "2", "4"]
    assert [candidates(dataset, row) for row in range(3)] == [["N1", "N2"], ["N2", "N1"], ["N2", "N1"]]
    assert dataset.impressions["labels"].to_list() == [[0, 1], None, [1, 0]]
    assert [history(dataset, row) for row in range(3)] == [["N3", "N1"], [], ["N3"]]
    details = dataset.lineage[0].details
    assert details["dangling_history_ids"] == 3
    assert details["dangling_candidate_ids"] == 4
    assert details["impressions_without_candidates"] == 1


def test_files_without_rows_are_an_empty_data_set(tmp_path: Path) -> None:
    write_split(tmp_path / "train", [], [])
    dataset = read(tmp_path)
    assert dataset.news.height == dataset.readers.height == dataset.impressions.height == 0
    assert dataset.stats()["positives"] == 0


def test_the_lineage_names_files_and_their_contents_but_no_folder_of_this_machine(tmp_path: Path) -> None:
    write_split(tmp_path / "MINDsmall_train", [behavior()], packed=True)
    (entry,) = read(tmp_path).lineage
    assert entry.operation == "read"
    assert entry.details["reader"] == "mind"
    assert entry.details["splits"] == {"train": "MINDsmall_train"}
    assert entry.details["dangling"] == "error"
    path = tmp_path / "MINDsmall_train" / "news.tsv.gz"
    files = entry.details["files"]
    assert isinstance(files, dict)
    assert set(files) == {"MINDsmall_train/behaviors.tsv.gz", "MINDsmall_train/news.tsv.gz"}
    assert files["MINDsmall_train/news.tsv.gz"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert str(tmp_path) not in str(entry.details)


@pytest.mark.parametrize("name", ["tiny/mind", "mind_mini"])
def test_real_rows_are_read_whole(shared_data: Path, name: str) -> None:
    folder = shared_data / name
    dataset = read(folder)
    rows = {split: (folder / split / "behaviors.tsv").read_bytes().count(b"\n") for split in ("train", "dev")}
    assert {split: dataset.stats()[f"impressions_{split}"] for split in rows} == rows
    assert dataset.impressions["labels"].null_count() == 0
    assert (dataset.impressions["labels"].list.sum() >= 1).all()
    assert dataset.lineage[0].details["dangling_history_ids"] == 0


def test_raw_files_that_do_not_match_are_survived_and_counted(shared_data: Path, tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    raw = shared_data / "mind_mini" / "robustness"
    for name in ("news", "behaviors"):
        (tmp_path / "train" / f"{name}.tsv.gz").write_bytes((raw / f"{name}_raw.tsv.gz").read_bytes())
    dataset = read(tmp_path, dangling="drop")
    details = dataset.lineage[0].details
    assert dataset.news.height == 2000
    assert dataset.impressions.height + int(str(details["impressions_without_candidates"])) == 5000
    assert int(str(details["dangling_history_ids"])) > 10_000
    sizes = dataset.impressions.select(
        candidates=pl.col("candidates").list.len(), labels=pl.col("labels").list.len()
    ).drop_nulls()
    assert sizes["candidates"].equals(sizes["labels"].rename("candidates"))
    assert sizes.height > 0
