"""The reader `goodreads`: books in MIND's format."""

from pathlib import Path

import pytest
from dataset.mind_files import NEWS, behavior, write_split

from genre.errors import UsageError
from genre_datasets.goodreads import GoodreadsOptions, read_goodreads

BOOKS = [row.replace("sports\tsoccer", "books\tbooks") for row in NEWS]


def test_a_category_that_says_nothing_is_left_empty(tmp_path: Path) -> None:
    write_split(tmp_path / "train", [behavior()], BOOKS)
    dataset = read_goodreads(GoodreadsOptions(tmp_path))
    assert dataset.news["category"].to_list() == ["", "health", "travel"]
    assert dataset.news["subcategory"].to_list() == ["", "diet", "parks"]
    assert dataset.lineage[0].details["reader"] == "goodreads"


def test_dangling_ids_are_refused_or_dropped(tmp_path: Path) -> None:
    write_split(tmp_path / "train", [behavior("N1-1 B9-0")], BOOKS)
    with pytest.raises(UsageError, match="'B9'"):
        read_goodreads(GoodreadsOptions(tmp_path))
    assert read_goodreads(GoodreadsOptions(tmp_path, dangling="drop")).impressions.height == 1


def test_a_sub_folder_may_have_another_name(tmp_path: Path) -> None:
    write_split(tmp_path / "mine", [behavior()], BOOKS)
    assert read_goodreads(GoodreadsOptions(tmp_path, {"train": "mine"})).splits == ["train"]


def test_the_real_set_is_read(shared_data: Path) -> None:
    dataset = read_goodreads(GoodreadsOptions(shared_data / "goodreads"))
    assert dataset.splits == ["dev", "train"]
    assert set(dataset.news["category"]) == {""}
    assert dataset.text_fields == ["title"]
