"""Writing a data set as MIND's files."""

from datetime import datetime
from pathlib import Path

import attrs
import polars as pl
import pytest
from dataset.mind_files import read
from small_data import small_dataset

from genre.dataset import Dataset, write_mind
from genre.errors import UsageError


def with_news(**columns: pl.Expr) -> Dataset:
    return attrs.evolve(small_dataset(), news=small_dataset().news.with_columns(**columns))


def with_impressions(**columns: pl.Expr) -> Dataset:
    return attrs.evolve(small_dataset(), impressions=small_dataset().impressions.with_columns(**columns))


def test_rows_look_as_in_mind(tmp_path: Path) -> None:
    write_mind(small_dataset(), tmp_path)
    assert (tmp_path / "train" / "behaviors.tsv").read_text().splitlines() == [
        "1\tnew\t11/11/2019 9:05:58 AM\tN1 N2\tN5-0 N3-1",
        "2\twarm\t11/11/2019 9:05:58 AM\tN1 N2 N3 N4 N5 N6\tN1-1 N4-0",
    ]
    news = (tmp_path / "dev" / "news.tsv").read_text().splitlines()
    assert news[2] == "N3\thealth\tnutrition\tWhat to eat now\t\t\t\t"
    assert len(news) == 6


def test_unlabelled_impressions_are_written_without_labels(tmp_path: Path) -> None:
    labels = pl.when(pl.col("split") == "train").then("labels")
    dataset = with_impressions(labels=labels)
    write_mind(dataset, tmp_path)
    assert (tmp_path / "dev" / "behaviors.tsv").read_text().splitlines()[0].endswith("\tN2 N6")
    again = read(tmp_path)
    assert (
        again.impressions.sort("id")
        .select("id", "labels")
        .equals(dataset.impressions.sort("id").select("id", "labels"))
    )


def test_the_small_set_is_read_again(tmp_path: Path) -> None:
    write_mind(small_dataset(), tmp_path)
    assert read(tmp_path).fingerprint == small_dataset().fingerprint


def test_generated_news_and_new_titles_are_written_too(tmp_path: Path) -> None:
    made = pl.DataFrame([{"reader": 0, "id": "G1", "version": "g", "model": "m", "title": "Made up"}])
    title = pl.DataFrame([{"news": 0, "field": "title", "version": "s", "model": "m", "text": "Better"}])
    write_mind(small_dataset().with_generated_news(made).with_texts(title), tmp_path)
    again = read(tmp_path)
    assert again.text("title")[0] == "Better"
    assert again.news["id"][-1] == "G1"
    assert again.readers["history"][0].to_list() == [0, 1, 6]


@pytest.mark.parametrize(
    ("dataset", "reason"),
    [
        (with_news(category=pl.lit("a\tb")), "a tab"),
        (with_news(url=pl.lit("a\nb")), "line break"),
        (with_news(abstract_entities=pl.lit("[]\r")), "carriage return"),
        (with_news(id=pl.col("id") + " "), "an id with blanks"),
        (with_impressions(time=pl.lit(None, pl.Datetime("us"))), "no time"),
        (with_impressions(time=pl.lit(datetime(2019, 1, 1, microsecond=5), pl.Datetime("us"))), "no time"),
        (with_impressions(id=pl.lit("")), "an odd id"),
        (with_impressions(split=pl.lit("../up")), "cannot name a folder"),
    ],
)
def test_what_the_format_cannot_say_is_an_error(tmp_path: Path, dataset: Dataset, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        write_mind(dataset, tmp_path / "out")
    assert not list(tmp_path.rglob("*.tsv"))


def test_an_unlabelled_candidate_that_looks_labelled_is_an_error(tmp_path: Path) -> None:
    dataset = attrs.evolve(
        with_news(id=pl.col("id") + "-1"),
        impressions=small_dataset().impressions.with_columns(labels=pl.lit(None, pl.List(pl.UInt8))),
    )
    with pytest.raises(UsageError, match="look labelled"):
        write_mind(dataset, tmp_path)
