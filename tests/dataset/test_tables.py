"""The data set: texts and their versions, growth without change, counts, fingerprints."""

import attrs
import polars as pl
import pytest
from small_data import small_dataset

from genre.dataset import Dataset
from genre.dataset.tables import TABLES
from genre.errors import UsageError


def text_rows(version: str, texts: dict[int, str], field: str = "title") -> pl.DataFrame:
    return pl.DataFrame(
        [{"news": news, "field": field, "version": version, "model": "m", "text": text} for news, text in texts.items()]
    )


def generated(*readers: int, name: str = "r", version: str = "generator") -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "reader": reader,
                "id": f"{name}-{number}",
                "version": version,
                "model": "m",
                "category": "sports",
                "title": f"made {number}",
                "abstract": "",
            }
            for number, reader in enumerate(readers)
        ]
    )


def reading(dataset: Dataset) -> list[object]:
    """Everything that a data set says, as plain values."""
    return [*(getattr(dataset, name).rows() for name in TABLES), dataset.lineage]


# -- versions of texts ------------------------------------------------------------------------------------------


def test_latest_is_the_newest_version_of_each_news() -> None:
    dataset = small_dataset().with_texts(text_rows("a", {0: "A0", 1: "A1"})).with_texts(text_rows("b", {0: "B0"}))
    assert dataset.text("title")[:3].to_list() == ["B0", "A1", "What to eat now"]


def test_a_named_version_falls_back_to_the_original_and_to_no_other_round() -> None:
    dataset = small_dataset().with_texts(text_rows("a", {0: "A0", 1: "A1"})).with_texts(text_rows("b", {0: "B0"}))
    assert dataset.text("title", "a")[:2].to_list() == ["A0", "A1"]
    assert dataset.text("title", "b")[:2].to_list() == ["B0", "Five sets, one winner"]


def test_the_original_stays_readable_after_rounds() -> None:
    before = small_dataset()
    after = before.with_texts(text_rows("a", {0: "A0"}))
    assert after.text("title", "original").to_list() == before.text("title").to_list()


def test_a_text_that_a_round_filled_in_is_not_its_original() -> None:
    dataset = small_dataset().with_texts(text_rows("describer", {2: "A description"}, field="abstract"))
    assert dataset.text("abstract", "original")[2] == ""
    assert dataset.text("abstract", "describer")[2] == "A description"
    assert dataset.text("abstract")[2] == "A description"


def test_a_version_that_wrote_another_field_reads_the_original_of_this_one() -> None:
    dataset = small_dataset().with_texts(text_rows("a", {0: "A0"}))
    assert dataset.text("abstract", "a").to_list() == small_dataset().text("abstract").to_list()


def test_every_version_reads_the_only_text_of_a_generated_news() -> None:
    dataset = small_dataset().with_generated_news(generated(0)).with_texts(text_rows("a", {0: "A0"}))
    for version in ("original", "a", "latest", "generator"):
        assert dataset.text("title", version)[6] == "made 0"


def test_a_rewritten_generated_news_has_its_first_text_in_other_versions() -> None:
    dataset = small_dataset().with_generated_news(generated(0)).with_texts(text_rows("a", {6: "better"}))
    assert dataset.text("title", "original")[6] == "made 0"
    assert dataset.text("title", "a")[6] == "better"
    assert dataset.text("title")[6] == "better"


def test_an_unknown_version_is_an_error_with_the_nearest() -> None:
    dataset = small_dataset().with_texts(text_rows("summarizer", {0: "A0"}))
    with pytest.raises(UsageError, match="did you mean 'summarizer'"):
        dataset.text("title", "sumarizer")


def test_a_field_that_nobody_has_is_empty_everywhere() -> None:
    assert small_dataset().text("body").to_list() == [""] * 6


def test_an_empty_abstract_is_no_text_row() -> None:
    texts = small_dataset().texts
    assert texts.filter((pl.col("news") == 2) & (pl.col("field") == "abstract")).height == 0


# -- growth -----------------------------------------------------------------------------------------------------


def test_growth_leaves_the_old_data_set_as_it_was() -> None:
    dataset = small_dataset()
    before, fingerprint = reading(dataset), dataset.fingerprint
    grown = dataset.with_texts(text_rows("a", {0: "A0"})).with_generated_news(generated(0, 1))
    grown = grown.with_interests(
        pl.DataFrame([{"reader": 0, "kind": "topics", "version": "p", "model": "m", "rank": 0, "value": "sports"}])
    ).with_lineage("round", name="p")
    assert reading(dataset) == before
    assert dataset.fingerprint == fingerprint
    assert grown.fingerprint != fingerprint
    assert [step.operation for step in grown.lineage] == ["read", "round"]


def test_positions_stay_valid_after_growth() -> None:
    dataset = small_dataset()
    grown = dataset.with_generated_news(generated(2, 0, 0)).with_generated_news(generated(1, name="s"))
    assert grown.news["id"].to_list() == [*dataset.news["id"], "r-0", "r-1", "r-2", "s-0"]
    assert grown.readers["id"].equals(dataset.readers["id"])
    assert grown.impressions.equals(dataset.impressions)


def test_generated_news_end_their_own_readers_history_in_order() -> None:
    dataset = small_dataset()
    grown = dataset.with_generated_news(generated(2, 0, 2))
    old, new = dataset.readers["history"].to_list(), grown.readers["history"].to_list()
    assert new == [[*old[0], 7], old[1], [*old[2], 6, 8], old[3]]


def test_clicks_and_segments_are_those_of_the_original_histories() -> None:
    dataset = small_dataset()
    grown = dataset.with_generated_news(generated(*[0] * 10))
    assert grown.readers["history"].list.len()[0] == 12
    assert grown.readers["clicks"].equals(dataset.readers["clicks"])
    assert grown.is_new.to_list() == dataset.is_new.to_list() == [True, False, True, True]


def test_a_reader_with_five_clicks_is_new_and_one_with_six_is_warm() -> None:
    dataset = small_dataset()
    clicks = pl.Series("clicks", [5, 6, 0, 1], dtype=pl.UInt32)
    assert attrs.evolve(dataset, readers=dataset.readers.with_columns(clicks)).is_new.to_list() == [
        True,
        False,
        True,
        True,
    ]


def test_the_same_generated_news_twice_are_an_error() -> None:
    grown = small_dataset().with_generated_news(generated(0))
    with pytest.raises(UsageError, match="'r-0' is in the data set already"):
        grown.with_generated_news(generated(1))


def test_generated_news_for_a_reader_that_is_not_there_are_an_error() -> None:
    with pytest.raises(UsageError, match="no reader 4"):
        small_dataset().with_generated_news(generated(4))


def test_no_generated_news_change_nothing() -> None:
    dataset = small_dataset()
    assert dataset.with_generated_news(generated(0).clear()).fingerprint == dataset.fingerprint


def test_the_newest_interests_replace_older_ones_of_the_same_reader_and_kind() -> None:
    columns = ["reader", "kind", "version", "model", "rank", "value"]
    rows = [
        (0, "topics", "one", "m", 0, "food"),
        (1, "topics", "one", "m", 1, "travel"),
        (1, "topics", "one", "m", 0, "health"),
        (0, "regions", "one", "m", 0, "Ohio"),
    ]
    dataset = small_dataset().with_interests(pl.DataFrame(rows, schema=columns, orient="row"))
    dataset = dataset.with_interests(
        pl.DataFrame([(0, "topics", "two", "m", 0, "sports")], schema=columns, orient="row")
    )
    assert dataset.interests_of("topics").rows() == [(0, 0, "sports"), (1, 0, "health"), (1, 1, "travel")]
    assert dataset.interests_of("regions").rows() == [(0, 0, "Ohio")]


def test_a_table_of_another_schema_is_an_error() -> None:
    dataset = small_dataset()
    with pytest.raises(UsageError, match="table 'news' has the columns"):
        attrs.evolve(dataset, news=dataset.news.drop("url"))


# -- counts -----------------------------------------------------------------------------------------------------


def test_stats_count_what_there_is() -> None:
    dataset = small_dataset().with_texts(text_rows("a", {0: "A0"})).with_generated_news(generated(0))
    assert dataset.stats() == {
        "news": 6,
        "generated_news": 1,
        "rewritten_texts": 1,
        "users": 3,
        "readers": 4,
        "new_readers": 3,
        "profiled_readers": 0,
        "mean_history": 2.75,
        "positives": 4,
        "negatives": 4,
        "impressions_train": 2,
        "impressions_dev": 2,
    }


def test_stats_of_an_empty_set_are_zeros() -> None:
    empty = Dataset(**{name: pl.DataFrame(schema=schema) for name, schema in TABLES.items()}, lineage=())
    assert set(empty.stats().values()) == {0}


def test_unlabelled_impressions_have_neither_positives_nor_negatives() -> None:
    dataset = small_dataset()
    labels = pl.when(pl.col("split") == "train").then("labels")
    dataset = attrs.evolve(dataset, impressions=dataset.impressions.with_columns(labels=labels))
    assert (dataset.stats()["positives"], dataset.stats()["negatives"]) == (2, 2)
    assert dataset.stats()["impressions_dev"] == 2


# -- fingerprints -----------------------------------------------------------------------------------------------


def test_equal_content_has_equal_fingerprints_however_it_is_chunked() -> None:
    dataset = small_dataset()
    pieces = {
        name: pl.concat([table.slice(row, 1) for row in range(table.height)], rechunk=False)
        for name in TABLES
        if (table := getattr(dataset, name)).height
    }
    assert any(table.n_chunks() > 1 for table in pieces.values())
    assert attrs.evolve(dataset, **pieces).fingerprint == dataset.fingerprint == small_dataset().fingerprint


CHANGES = {
    "a title": lambda d: attrs.evolve(d, texts=d.texts.with_columns(text=pl.col("text").str.replace("Late", "Lat"))),
    "a cut between two texts": lambda d: attrs.evolve(
        d, news=d.news.with_columns(category=pl.col("category") + "s", subcategory=pl.col("subcategory").str.slice(1))
    ),
    "a label": lambda d: attrs.evolve(
        d, impressions=d.impressions.with_columns(labels=pl.col("labels").list.reverse())
    ),
    "no labels": lambda d: attrs.evolve(
        d, impressions=d.impressions.with_columns(labels=pl.lit(None, d.impressions.schema["labels"]))
    ),
    "a split": lambda d: attrs.evolve(d, impressions=d.impressions.with_columns(split=pl.lit("x"))),
    "a time": lambda d: attrs.evolve(d, impressions=d.impressions.with_columns(pl.col("time").dt.offset_by("1s"))),
    "the order of rows": lambda d: attrs.evolve(d, impressions=d.impressions.reverse()),
    "the cut between two histories": lambda d: attrs.evolve(
        d,
        readers=d.readers.with_columns(
            history=pl.Series([[0], [1, 0, 1, 2, 3, 4, 5], [], [0, 1, 2]], dtype=pl.List(pl.UInt32))
        ),
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_different_content_has_different_fingerprints(change: object) -> None:
    dataset = small_dataset()
    assert change(dataset).fingerprint != dataset.fingerprint  # type: ignore[operator]


def test_lineage_is_no_part_of_the_fingerprint() -> None:
    assert small_dataset().with_lineage("note").fingerprint == small_dataset().fingerprint
