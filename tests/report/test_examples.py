"""Examples of what models wrote: taken by a hash of ids, told with their source, each once."""

import polars as pl
from small_data import small_dataset

from genre.dataset import Dataset
from genre.report.examples import (
    READERS,
    TEXTS,
    authors,
    changed_readers,
    chosen_readers,
    chosen_texts,
    order,
    rewritten_texts,
    titles,
)


def with_titles(count: int) -> Dataset:
    dataset = small_dataset(more_news=20)
    by = {"field": "title", "version": "summarizer", "model": "m"}
    rows = [{"news": news, **by, "text": f"New {news}"} for news in range(count)]
    return dataset.with_texts(pl.DataFrame(rows, schema_overrides={"news": pl.UInt32}))


def test_a_rewritten_text_stands_beside_the_original() -> None:
    [example] = rewritten_texts("titles", with_titles(1))
    assert (example.news, example.field) == ("N1", "title")
    assert (example.before, example.after) == ("Late goal wins it", "New 0")
    assert (example.source.model, example.source.round, example.variants) == ("m", "summarizer", ("titles",))


def test_the_newest_version_is_shown() -> None:
    rows = pl.DataFrame([{"news": 0, "field": "title", "version": "again", "model": "n", "text": "Newer"}])
    [example] = rewritten_texts("titles", with_titles(1).with_texts(rows))
    assert (example.after, example.source.round) == ("Newer", "again")


def test_examples_are_those_with_the_smallest_hashes() -> None:
    dataset = with_titles(20)
    shown = chosen_texts([rewritten_texts("titles", dataset)])
    ids = sorted(dataset.news["id"][:20], key=lambda news: order(f"{news} title"))
    assert [each.news for each in shown] == ids[:TEXTS]


def test_the_same_text_in_two_variants_is_one_example() -> None:
    found = [rewritten_texts(variant, with_titles(1)) for variant in ("one", "two")]
    [example] = chosen_texts(found)
    assert example.variants == ("one", "two")


def test_what_a_model_made_up_is_no_rewritten_text() -> None:
    made = pl.DataFrame([{"reader": 0, "id": "G1", "version": "generator", "model": "m", "title": "Made"}])
    assert rewritten_texts("made", small_dataset().with_generated_news(made)) == []


def test_a_reader_is_shown_with_history_profile_and_made_up_news() -> None:
    interests = [
        {"reader": 0, "kind": "topics", "version": "profiler", "model": "m", "rank": rank, "value": value}
        for rank, value in enumerate(("sports", "food"))
    ]
    made = [{"reader": 0, "id": f"G{n}", "version": "generator", "model": "m", "title": f"Made {n}"} for n in range(6)]
    dataset = small_dataset().with_interests(pl.DataFrame(interests)).with_generated_news(pl.DataFrame(made))
    [reader] = changed_readers("everything", dataset)
    assert (reader.is_new, reader.clicks) == (True, 2)
    assert reader.history == ("Late goal wins it", "Five sets, one winner")
    [addition] = reader.additions
    assert [(each.kind, each.values) for each in addition.profiles] == [("topics", ("sports", "food"))]
    assert [each.title for each in addition.made] == ["Made 0", "Made 1", "Made 2", "Made 3"]
    assert addition.made_in_all == 6
    assert authors(addition.sources) == {"m": ["profiler", "generator"]}


def test_a_reader_whose_clicks_were_selected_is_shown() -> None:
    warm = small_dataset().readers.with_row_index("reader").filter(pl.col("clicks") == 6)["reader"][0]
    dataset = small_dataset().with_kept_history(pl.DataFrame({"reader": [warm], "kept": [[1, 4]]}))
    [reader] = changed_readers("short", dataset)
    assert (reader.is_new, reader.additions[0].kept, reader.additions[0].made) == (False, 2, ())


def test_readers_that_most_variants_change_come_first_and_equal_additions_are_one() -> None:
    histories = [["N1", "N2", "N3", f"N{number}"] for number in (4, 5, 6)]

    def with_profiles(readers: list[int], value: str) -> Dataset:
        rows = [
            {"reader": reader, "kind": "topics", "version": "p", "model": "m", "rank": 0, "value": value}
            for reader in readers
        ]
        return small_dataset(more_histories=histories).with_interests(pl.DataFrame(rows))

    everybody = list(range(with_profiles([0], "a").readers.height))
    found = [
        changed_readers("one", with_profiles(everybody, "a")),
        changed_readers("two", with_profiles([2], "a")),
        changed_readers("three", with_profiles([2], "b")),
    ]
    shown = chosen_readers(found)
    assert len(shown) == READERS
    assert shown[0].reader == with_profiles([0], "a").readers["id"][2]
    assert [each.variants for each in shown[0].additions] == [("one", "two"), ("three",)]


def test_a_news_without_a_title_has_its_id() -> None:
    dataset = small_dataset()
    without = Dataset(
        dataset.news, dataset.texts.filter(pl.col("news") != 1), dataset.vectors, dataset.readers, dataset.interests,
        dataset.impressions, dataset.lineage,
    )  # fmt: skip
    assert titles(without, [0, 1]) == {0: "Late goal wins it", 1: "N2"}
