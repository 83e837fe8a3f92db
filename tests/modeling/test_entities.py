"""Entities of news: what MIND's JSON says, and what is told when it says something else."""

import json

import attrs
import numpy as np
import polars as pl
import pytest

from genre.dataset import Dataset
from genre.errors import UsageError
from genre.modeling.entities import news_entities
from genre.modeling.features import Features, field_specs, prepare_features
from genre.modeling.settings import FeatureSettings
from genre.testing.planted import planted_dataset

MIND = (
    '[{"Label": "Paris", "Type": "G", "WikidataId": "Q90", "Confidence": 1.0, "OccurrenceOffsets": [3], '
    '"SurfaceForms": ["Paris"]}, {"WikidataId": "Q142"}, {"WikidataId": "Q90"}]'
)
BOTH = {"title_entities": 3, "abstract_entities": 3}


def entities(*ids: str) -> str:
    return json.dumps([{"WikidataId": each} for each in ids])


def with_entities(titles: list[str], abstracts: list[str] | None = None) -> Dataset:
    """A data set whose first news have these entities, and whose others have none."""
    dataset = planted_dataset(users=20)
    count = dataset.news.height

    def column(values: list[str]) -> pl.Series:
        return pl.Series([*values, *[""] * (count - len(values))], dtype=pl.String)

    news = dataset.news.with_columns(title_entities=column(titles), abstract_entities=column(abstracts or []))
    return attrs.evolve(dataset, news=news)


def names(features: Features, field: str, news: int) -> list[str]:
    ids = features.news.entities[field].take(np.array([news])).values
    return [features.vocabulary.entities[number - 1] for number in ids.tolist()]


def test_the_ids_of_a_news_are_distinct_and_in_the_order_of_the_text() -> None:
    rows = list(news_entities(with_entities([MIND, "[]", ""]), "title_entities"))
    assert rows[:3] == [["Q90", "Q142"], [], []]


def test_only_the_news_that_are_asked_for_are_read() -> None:
    dataset = with_entities(["no JSON", entities("Q1"), entities("Q2")])
    assert list(news_entities(dataset, "title_entities", pl.Series([2, 1]))) == [["Q2"], ["Q1"]]


MALFORMED = {
    "no JSON": "no JSON",
    "no list": '{"WikidataId": "Q1"}',
    "a list of something else": '["Q1"]',
    "no id": '[{"Label": "Paris"}]',
    "an id that is no text": '[{"WikidataId": 90}]',
    "an empty id": '[{"WikidataId": ""}]',
    "nothing at all": "null",
    "nested too deep": "[" * 100_000,
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("field", ["title_entities", "abstract_entities"])
def test_something_else_is_an_error_that_names_the_news_and_the_field(text: str, field: str) -> None:
    columns = {"titles": [""], "abstracts": [""]}
    columns["titles" if field == "title_entities" else "abstracts"] = [entities("Q1"), text]
    with pytest.raises(UsageError, match=f"the {field} of the news 'N1'") as raised:
        list(news_entities(with_entities(**columns), field))
    assert "mend the news file" in str(raised.value.remedy)
    assert len(str(raised.value)) < 400


def test_entities_that_training_never_shows_are_left_out() -> None:
    dataset = with_entities([entities("Q1"), entities("Q2", "Q1")])
    rows = dataset.impressions.with_columns(
        split=pl.lit("train"),
        candidates=pl.lit([0], dtype=pl.List(pl.UInt32)),
        labels=pl.lit([1], dtype=pl.List(pl.UInt8)),
    )
    empty = dataset.readers.with_columns(history=pl.col("history").list.head(0))
    made = prepare_features(
        attrs.evolve(dataset, impressions=rows, readers=empty),
        FeatureSettings(texts={"title": 5}, entities={"title_entities": 3}),
    )
    assert made.vocabulary.entities == ("Q1",)
    assert names(made, "title_entities", 1) == ["Q1"]


def test_ids_are_shared_by_both_fields() -> None:
    made = prepare_features(
        with_entities([entities("Q1", "Q2")], [entities("Q2", "Q3")]), FeatureSettings(entities=BOTH)
    )
    assert made.vocabulary.entities == ("Q1", "Q2", "Q3")
    assert names(made, "title_entities", 0) == ["Q1", "Q2"]
    assert names(made, "abstract_entities", 0) == ["Q2", "Q3"]
    specs = {spec.name: spec for spec in field_specs(made.vocabulary, made.settings)}
    assert [(specs[name].kind, specs[name].size, specs[name].length) for name in BOTH] == [("entities", 4, 3)] * 2


def test_the_first_entities_are_kept() -> None:
    made = prepare_features(
        with_entities([entities("Q9", "Q5", "Q7")]), FeatureSettings(entities={"title_entities": 2})
    )
    assert names(made, "title_entities", 0) == ["Q9", "Q5"]


def test_a_rare_entity_is_left_out() -> None:
    dataset = with_entities([entities("Q1", "Q2"), entities("Q2")])
    made = prepare_features(dataset, FeatureSettings(entities={"title_entities": 2}, min_count=2))
    assert made.vocabulary.entities == ("Q2",)
