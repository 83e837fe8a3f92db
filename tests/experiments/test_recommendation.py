"""Recommending: the scores of evaluation, a pool of candidates, and a user who may be new."""

import datetime
import json
from collections.abc import Mapping
from pathlib import Path

import attrs
import numpy as np
import polars as pl
import pytest
from small_data import small_dataset

from genre.dataset import Dataset
from genre.errors import RunError, UsageError
from genre.experiments import Recommendations, read_dataset, recommend
from genre.experiments.recommendation import latest_reader
from genre.modeling import FeatureSettings, TrainedModel, build_recommender, evaluate, prepare_features
from genre.modeling.ranking import new_reader, rank_news
from genre.modeling.settings import EvaluationSettings
from genre.registry import Registry
from genre.testing.planted import planted_dataset, with_topics

BASELINES = ["naml", "lstur", "nrms", "plmnr", "bst", "dcn", "pnn", "din"]
REGISTRY = Registry.load()


@pytest.fixture(scope="module")
def planted() -> Dataset:
    """Planted preferences, with topics of some readers and a news that was written for the first of them."""
    dataset = with_topics(planted_dataset(users=20, news=40), {reader: ["football", "money"] for reader in range(8)})
    written = {"reader": 0, "id": "G1", "version": "round", "model": "test", "title": "match goal team", "abstract": ""}
    return dataset.with_generated_news(pl.DataFrame([written]))


def model_of(dataset: Dataset, baseline: str = "nrms", *, fusion: bool = False) -> TrainedModel:
    """A model with the weights that it starts with."""
    settings = FeatureSettings(texts={"title": 8, "abstract": 8})
    features = prepare_features(dataset, settings)
    made = build_recommender(REGISTRY, baseline, features.vocabulary, settings, fusion=fusion, dim=16, seed=5)
    return TrainedModel(made.eval(), features.vocabulary, settings)


def scores_of(found: Recommendations) -> Mapping[str, float]:
    return {each.id: each.score for each in found.news}


@pytest.mark.parametrize("baseline", BASELINES)
def test_scores_are_those_of_evaluation_for_the_same_reader_and_candidates(planted: Dataset, baseline: str) -> None:
    model = model_of(planted, baseline, fusion=True)
    evaluated = evaluate(model.recommender, prepare_features(planted, model.settings), "dev").scored_impressions
    impressions = planted.impressions.filter(pl.col("split") == "dev")
    for row in (0, 3, 11):  # a reader with a synthetic news, one with topics, and one with neither
        candidates = planted.news["id"].gather(impressions["candidates"][row])
        expected = dict(zip(candidates, evaluated["scores"][row], strict=True))
        reader = evaluated["reader"][row]
        found = recommend(model, planted, user=reader, pool=list(expected), top=99, exclude_history=False)
        assert scores_of(found) == pytest.approx(expected, rel=1e-4, abs=1e-5)
        assert [each.score for each in found.news] == sorted(scores_of(found).values(), reverse=True)
        assert [each.rank for each in found.news] == list(range(1, len(expected) + 1))


@pytest.mark.parametrize("baseline", BASELINES)
def test_chunks_decide_nothing(planted: Dataset, baseline: str) -> None:
    model = model_of(planted, baseline, fusion=True)
    features = prepare_features(planted, model.settings)
    reader, pool = new_reader(planted, np.array([0, 4, 8])), np.arange(40)
    small = EvaluationSettings(news_per_chunk=7, readers_per_chunk=1, pairs_per_chunk=5)
    whole = rank_news(model.recommender, features, reader, pool)
    cut = rank_news(model.recommender, features, reader, pool[::-1], small)
    assert np.sort(cut.scores) == pytest.approx(np.sort(whole.scores), rel=1e-4, abs=1e-5)


def test_by_default_all_original_news_but_the_clicked_are_ranked(planted: Dataset) -> None:
    found = recommend(model_of(planted), planted, user="U0", top=1000)
    clicked = set(planted.news["id"].gather(planted.readers["history"][0]))
    assert {each.id for each in found.news} == {f"N{number}" for number in range(40)} - clicked
    assert found.candidates == len(found.news)
    assert (found.user, found.leaked) == ("U0", False)


def test_what_was_clicked_may_be_ranked_too(planted: Dataset) -> None:
    assert recommend(model_of(planted), planted, user="U0", exclude_history=False).candidates == 40


def test_the_order_of_the_pool_does_not_matter_and_a_repeated_id_counts_once(planted: Dataset) -> None:
    model = model_of(planted)
    one, other = (
        recommend(model, planted, history=[], pool=pool) for pool in (["N1", "N2", "N3"], ["N3", "N2", "N1", "N3"])
    )
    assert one == other


def test_equal_scores_are_in_the_order_of_the_data_set() -> None:
    dataset = small_dataset(more_news=30)
    texts = dataset.texts.with_columns(text=pl.lit("the same words"))
    same = attrs.evolve(
        dataset, texts=texts, news=dataset.news.with_columns(category=pl.lit("c"), subcategory=pl.lit("s"))
    )
    ids = [f"M{number}" for number in range(30)]
    found = recommend(model_of(same, "naml"), same, history=["N1"], pool=ids[::-1], top=30)
    assert len({each.score for each in found.news}) == 1
    assert [each.id for each in found.news] == ids


def test_scores_that_are_all_equal_are_told(planted: Dataset) -> None:
    model = model_of(planted, "nrms")
    assert not recommend(model, planted, history=[]).told_apart
    assert recommend(model, planted, history=["N1"]).told_apart
    assert recommend(model, planted, history=[], pool=["N1"]).told_apart  # one news cannot be told from others


def test_a_path_as_text_is_a_pool_too(planted: Dataset, tmp_path: Path) -> None:
    (tmp_path / "pool.txt").write_text("N1\nN2\n")
    assert recommend(model_of(planted), planted, history=[], pool=str(tmp_path / "pool.txt")).candidates == 2


def test_a_history_that_is_one_text_is_an_error(planted: Dataset) -> None:
    with pytest.raises(UsageError, match="the history 'N1' is no list"):
        recommend(model_of(planted), planted, history="N1")


def test_a_pool_is_a_file_with_an_id_a_line(planted: Dataset, tmp_path: Path) -> None:
    (tmp_path / "pool.txt").write_text("N1\n\n  N2 \r\nN3", encoding="utf-8-sig")
    found = recommend(model_of(planted), planted, history=[], pool=tmp_path / "pool.txt", top=2)
    assert (found.candidates, len(found.news)) == (3, 2)


def test_an_unknown_id_is_told_with_its_line(planted: Dataset, tmp_path: Path) -> None:
    (tmp_path / "pool.txt").write_text("N1\n\nN99\n")
    with pytest.raises(UsageError, match="no news 'N99'") as raised:
        recommend(model_of(planted), planted, history=[], pool=tmp_path / "pool.txt")
    assert raised.value.where == f"{tmp_path / 'pool.txt'}:3"
    assert "did you mean" in str(raised.value.remedy)


def test_a_generated_news_in_the_pool_is_an_error(planted: Dataset) -> None:
    with pytest.raises(UsageError, match="'G1' was generated") as raised:
        recommend(model_of(planted), planted, history=[], pool=["N1", "G1"])
    assert raised.value.where == "pool[1]"


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_pool_that_cannot_be_read_is_an_error(planted: Dataset, tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "pool.txt").write_bytes(content)
    with pytest.raises(UsageError, match="cannot be read") as raised:
        recommend(model_of(planted), planted, history=[], pool=tmp_path / "pool.txt")
    assert raised.value.where == str(tmp_path / "pool.txt")


def test_candidates_may_be_those_of_a_split() -> None:
    dataset = small_dataset(more_news=3)
    found = recommend(model_of(dataset), dataset, history=[], split="dev")
    assert {each.id for each in found.news} == {"N2", "N4", "N5", "N6"}


def test_candidates_may_be_those_shown_since_a_time() -> None:
    dataset = small_dataset()
    times = [datetime.datetime(2019, 11, day) for day in (9, 10, 11, 12)]
    later = attrs.evolve(
        dataset, impressions=dataset.impressions.with_columns(time=pl.Series(times, dtype=pl.Datetime("us")))
    )
    model = model_of(later)
    assert {each.id for each in recommend(model, later, history=[], since=times[3]).news} == {"N4", "N5"}
    both = recommend(model, later, history=[], since=times[1], split="train")
    assert {each.id for each in both.news} == {"N1", "N4"}
    with pytest.raises(UsageError, match="nothing was shown since 2020") as raised:
        recommend(model, later, history=[], since=datetime.datetime(2020, 1, 1))
    assert "2019-11-12" in str(raised.value.remedy)


def test_somebody_new_is_ranked_for_as_a_reader_with_these_clicks(planted: Dataset) -> None:
    model = model_of(planted)
    reader = 12  # without interests
    history = planted.news["id"].gather(planted.readers["history"][reader]).to_list()
    known = recommend(model, planted, user=planted.readers["id"][reader], top=40)
    new = recommend(model, planted, history=history, top=40)
    assert (new.user, new.reader, new.clicks) == (None, None, len(history))
    assert scores_of(new) == pytest.approx(scores_of(known), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("baseline", BASELINES)
def test_somebody_without_any_click_gets_finite_scores(planted: Dataset, baseline: str) -> None:
    found = recommend(model_of(planted, baseline, fusion=True), planted, history=[])
    assert (found.segment, found.clicks, found.candidates, len(found.news)) == ("new", 0, 40, 10)
    assert np.isfinite([each.score for each in found.news]).all()


def test_an_unknown_click_is_told_with_the_nearest(planted: Dataset) -> None:
    with pytest.raises(UsageError, match="the news 'N400'") as raised:
        recommend(model_of(planted), planted, history=["N1", "N400"])
    assert "did you mean 'N" in str(raised.value.remedy)


def test_an_unknown_user_is_told_with_the_nearest_and_another_way(planted: Dataset) -> None:
    with pytest.raises(UsageError, match="no user or reader 'U77'") as raised:
        recommend(model_of(planted), planted, user="U77")
    assert "did you mean 'U7'" in str(raised.value.remedy)
    assert "as a history" in str(raised.value.remedy)


def test_of_a_user_the_latest_state_is_taken() -> None:
    dataset = small_dataset()  # two states of the user `new`: impression 1, and 4 with a click more, at one time
    states = dataset.readers["clicks"].to_list()
    assert states[latest_reader(dataset, "new")] == 3
    times = [datetime.datetime(2019, 11, day) for day in (12, 11, 10, 9)]
    turned = attrs.evolve(
        dataset, impressions=dataset.impressions.with_columns(time=pl.Series(times, dtype=pl.Datetime("us")))
    )
    assert states[latest_reader(turned, "new")] == 2
    for position, name in enumerate(dataset.readers["id"]):
        assert latest_reader(dataset, name) == position


def test_a_pool_that_was_all_clicked_leaves_nothing(planted: Dataset) -> None:
    with pytest.raises(UsageError, match="no news is left"):
        recommend(model_of(planted), planted, history=["N1"], pool=["N1"])


WRONG: Mapping[str, tuple[dict[str, object], str]] = {
    "nobody": ({}, "name either a user or the history"),
    "two": ({"user": "U0", "history": []}, "name either a user or the history"),
    "two pools": ({"user": "U0", "pool": ["N1"], "split": "dev"}, "a pool is given, and a split"),
    "none wanted": ({"user": "U0", "top": 0}, "0 news cannot be recommended"),
    "no such split": ({"user": "U0", "split": "dve"}, "no split 'dve'"),
    "a time zone": ({"user": "U0", "since": datetime.datetime(2019, 1, 1, tzinfo=datetime.UTC)}, "has a time zone"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_call_is_told(planted: Dataset, wrong: str) -> None:
    arguments, message = WRONG[wrong]
    with pytest.raises(UsageError, match=message):
        recommend(model_of(planted), planted, **arguments)  # type: ignore[arg-type]


def test_scores_that_are_no_numbers_are_an_error(planted: Dataset) -> None:
    import torch

    model = model_of(planted)
    with torch.no_grad():
        for parameter in model.recommender.parameters():
            parameter.fill_(float("nan"))
    with pytest.raises(RunError, match="no numbers"):
        recommend(model, planted, history=["N1"])


def test_what_is_told_can_be_written_as_json(planted: Dataset) -> None:
    assert json.loads(json.dumps(attrs.asdict(recommend(model_of(planted), planted, user="U3"))))["user"] == "U3"


def test_readers_of_mind_are_ranked_all_news_that_they_have_not_clicked(shared_data: Path) -> None:
    mind = read_dataset(REGISTRY, "mind", {"folder": str(shared_data / "mind_mini")})
    model = model_of(mind)
    clicked = set(mind.readers["history"][7])
    found = recommend(model, mind, user=mind.readers["id"][7], top=10**6)
    assert len(found.news) == found.candidates == mind.news.height - len(clicked)
    assert not clicked & set(
        pl.Series([each.id for each in found.news]).replace_strict(
            mind.news["id"], pl.int_range(mind.news.height, eager=True)
        )
    )
