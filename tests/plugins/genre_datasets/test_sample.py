"""The simulated data set: its shape, its repeatability, and that there is something to learn in it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from dataset.mind_files import read
from sklearn.metrics import roc_auc_score

from genre.dataset import Dataset, write_mind
from genre.errors import UsageError
from genre_datasets import sample_lexicon
from genre_datasets.draws import Draws
from genre_datasets.sample import SampleOptions, make_sample
from genre_datasets.sample_grammar import TOPICS, write_text

SMALL = SampleOptions(news=120, users=40, train=120, dev=30, test=40)


@pytest.fixture(scope="module")
def sample() -> Dataset:
    return make_sample(SampleOptions())


def users(dataset: Dataset) -> pl.DataFrame:
    """One row a user, with the clicks of the first history."""
    return dataset.readers.unique("user", keep="first", maintain_order=True)


def mean_auc(dataset: Dataset, scores: np.ndarray) -> float:
    """Mean AUC over the test impressions of `scores` (readers x news)."""
    rows = dataset.impressions.filter(pl.col("split") == "test")
    return float(
        np.mean(
            [
                roc_auc_score(labels, scores[reader][candidates])
                for reader, candidates, labels in rows.select("reader", "candidates", "labels").iter_rows()
            ]
        )
    )


def test_it_has_the_size_that_the_options_ask_for() -> None:
    stats = make_sample(SMALL).stats()
    assert stats["news"] == 120
    assert [stats[f"impressions_{split}"] for split in ("train", "dev", "test")] == [120, 30, 40]
    assert stats["users"] <= 40


def test_users_are_new_warm_and_without_clicks(sample: Dataset) -> None:
    clicks = users(sample)["clicks"]
    assert (clicks == 0).sum() >= 10
    assert 80 <= clicks.is_between(1, 5).sum() <= 100
    assert clicks.is_between(6, 30).sum() >= 120
    assert sample.is_new.gather(sample.impressions.filter(pl.col("split") == "test")["reader"]).sum() > 150


def test_impressions_have_mind_s_shape(sample: Dataset) -> None:
    sizes = sample.impressions["candidates"].list.len()
    assert sizes.is_between(5, 15).all()
    assert (sample.impressions["candidates"].list.n_unique() == sizes).all()
    clicks = sample.impressions["labels"].list.sum()
    assert ((clicks >= 1) & (clicks < sizes)).all()
    assert sample.impressions["time"].is_sorted()


def test_warm_users_come_back_with_longer_histories_and_new_ones_do_not(sample: Dataset) -> None:
    states = sample.readers.group_by("user", maintain_order=True).agg(
        first=pl.col("clicks").first(), last=pl.col("clicks").last()
    )
    warm = states.filter(pl.col("first") > 5)
    assert (warm["last"] > warm["first"]).sum() > 100
    assert states.filter(pl.col("first") <= 5).select(pl.col("first") == pl.col("last")).to_series().all()


def test_nobody_is_shown_what_the_visible_history_holds(sample: Dataset) -> None:
    histories = sample.readers["history"].to_list()
    for reader, candidates in sample.impressions.select("reader", "candidates").iter_rows():
        assert not set(histories[reader]) & set(candidates)


def test_the_same_seed_makes_the_same_set_in_every_process() -> None:
    code = (
        "from genre_datasets.sample import *;"
        "print(make_sample(SampleOptions(news=120, users=40, train=120, dev=30, test=40)).fingerprint)"
    )
    prints = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    ]
    assert prints == [make_sample(SMALL).fingerprint] * 2


def test_another_seed_makes_another_set() -> None:
    other = SampleOptions(seed=1, news=120, users=40, train=120, dev=30, test=40)
    assert make_sample(other).fingerprint != make_sample(SMALL).fingerprint


def test_more_impressions_of_one_split_leave_news_and_histories_alone() -> None:
    more = make_sample(SampleOptions(news=120, users=40, train=120, dev=30, test=60))
    assert more.texts.equals(make_sample(SMALL).texts)
    both = pl.col("split") != "test"
    assert more.impressions.filter(both).equals(make_sample(SMALL).impressions.filter(both))


def test_the_lineage_says_the_options() -> None:
    details = make_sample(SMALL).lineage[0].details
    assert details["reader"] == "sample"
    assert details["seed"] == 0
    assert details["train"] == 120


def test_it_survives_mind_s_files(tmp_path: Path, sample: Dataset) -> None:
    write_mind(sample, tmp_path)
    assert read(tmp_path).fingerprint == sample.fingerprint


def test_every_topic_has_news_and_every_news_two_texts(sample: Dataset) -> None:
    assert set(sample.news.select("category", "subcategory").iter_rows()) == set(TOPICS)
    assert (sample.text("title") != "").all()
    assert (sample.text("abstract").str.len_chars() > 40).all()
    assert sample.text("abstract").n_unique() > 300


@pytest.mark.parametrize("topic", TOPICS, ids="/".join)
def test_every_sentence_of_the_grammar_is_complete(topic: tuple[str, str]) -> None:
    for seed in range(40):
        text = write_text(Draws(seed, 0), topic, teasers=0.3)
        for part in (text.title, text.abstract):
            assert not set(part) & set("{}|\t\n")
            assert part == part.strip()
            assert part[0].isupper() or not part[0].isalpha()
            assert "  " not in part
        assert text.abstract.endswith(".")


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("day = [", "days = [", "common.day is missing or unknown"),
        ('tag = ["election"]', "tag = []", "topics.politics.elections.tag is empty"),
        ('tag = ["election"]', 'tag = ["election", ""]', "topics.politics.elections.tag is empty"),
        ('tag = ["election"]', "tag = [1]", "1 is not of type str"),
        ("{number} things", "{nmber} things", "common.teaser has the symbol 'nmber'"),
    ],
)
def test_a_mistake_in_the_lexicon_is_an_error_that_names_the_list(
    tmp_path: Path, right: str, wrong: str, message: str
) -> None:
    text = Path(sample_lexicon.__file__).with_suffix(".toml").read_text(encoding="utf-8")
    (tmp_path / "lexicon.toml").write_text(text.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        sample_lexicon.read_lexicon(tmp_path / "lexicon.toml")


def test_teasers_hide_the_topic_and_other_titles_do_not() -> None:
    words = {word.lower() for seed in range(60) for word in titles(seed, teasers=0.0)}
    hidden = {word.lower() for seed in range(60) for word in titles(seed, teasers=1.0)}
    assert "astronauts" in words
    assert not {"astronauts", "orbit", "rocket", "space"} & hidden


def titles(seed: int, teasers: float) -> list[str]:
    return write_text(Draws(seed, 0), ("technology", "space"), teasers=teasers).title.split()


def test_shared_topics_predict_clicks_and_popularity_hardly_does(sample: Dataset) -> None:
    topics = sample.news.select(pl.struct("category", "subcategory").rank("dense")).to_series().to_numpy()
    categories = sample.news["category"].rank("dense").to_numpy()
    same = (topics[:, None] == topics[None, :]) + 0.3 * (categories[:, None] == categories[None, :])
    content = np.stack([same[history].sum(0) for history in sample.readers["history"].to_list()])
    train = sample.impressions.filter(pl.col("split") == "train")
    clicked = np.concatenate(
        [np.array(row)[np.array(labels) == 1] for row, labels in train.select("candidates", "labels").iter_rows()]
    )
    popularity = np.bincount(clicked, minlength=sample.news.height)
    assert 0.7 < mean_auc(sample, content) < 0.85
    assert mean_auc(sample, np.tile(popularity, (sample.readers.height, 1))) < 0.6


@pytest.mark.parametrize("count", ["news", "users", "train", "dev", "test"])
def test_a_count_that_fits_in_no_memory_is_an_error(count: str) -> None:
    with pytest.raises(ValueError, match=f"'{count}' must be <= 10000000"):
        SampleOptions(**{count: 10**20})


def test_more_new_and_empty_users_than_users_are_an_error() -> None:
    with pytest.raises(UsageError, match="more than all users"):
        make_sample(SampleOptions(new=0.7, empty=0.7))


def test_nobody_is_shown_again_what_they_clicked(sample: Dataset) -> None:
    rows = sample.impressions.with_columns(user=sample.readers["user"].gather(sample.impressions["reader"]))
    shown = rows.select("id", "user", "candidates", "labels").explode("candidates", "labels")
    clicks = shown.filter(pl.col("labels") == 1)
    again = clicks.join(shown, on=["user", "candidates"]).filter(pl.col("id") != pl.col("id_right"))
    # Impressions are drawn in another order than that of their days, so a news may be shown before it is clicked.
    assert again.filter(pl.col("labels_right") == 1).is_empty()


def test_a_sample_with_too_few_news_for_its_impressions_is_made_all_the_same() -> None:
    dataset = make_sample(SampleOptions(news=48, users=2, train=500, dev=50, test=50))
    assert dataset.impressions["candidates"].list.len().min() >= 5
