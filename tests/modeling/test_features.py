import attrs
import numpy as np
import polars as pl
import pytest

from genre.dataset import Dataset
from genre.errors import UsageError
from genre.modeling import features as features_module
from genre.modeling.features import Features, prepare_features
from genre.modeling.settings import FeatureSettings
from genre.modeling.vocabulary import Vocabulary, build_vocabulary


def words_of(features: Features, field: str, news: int) -> list[str]:
    row = features.news.texts[field].take(np.array([news]))
    return [features.vocabulary.words[token] for token in row.values.tolist()]


def test_a_text_is_its_lower_case_words_without_punctuation_cut_to_length(dataset: Dataset) -> None:
    texts = pl.DataFrame(
        {"news": [0], "field": ["title"], "version": ["better"], "model": ["m"], "text": ['A "Goal", GOAL: x!']}
    )
    loud = dataset.with_texts(texts)
    made = prepare_features(loud, FeatureSettings(texts={"title": 3}))
    assert words_of(made, "title", 0) == ["a", "goal", "goal"]


def test_the_text_version_is_chosen_and_a_field_that_no_round_wrote_reads_as_original(dataset: Dataset) -> None:
    texts = pl.DataFrame({"news": [1], "field": ["title"], "version": ["better"], "model": ["m"], "text": ["striker"]})
    enriched = dataset.with_texts(texts)
    original = prepare_features(enriched, FeatureSettings(text_version="original"))
    better = prepare_features(enriched, FeatureSettings(text_version="better"))
    assert words_of(better, "title", 1) == ["striker"]
    assert words_of(original, "title", 1) == dataset.text("title")[1].split()
    assert words_of(better, "abstract", 1) == dataset.text("abstract")[1].split()


def test_a_word_that_training_never_shows_is_no_word(dataset: Dataset) -> None:
    vocabulary = build_vocabulary(dataset, FeatureSettings())
    assert vocabulary.tokens(pl.Series(["zyzzyva goal", "", "zyzzyva"]), 5).lengths.tolist() == [1, 0, 0]


def test_users_interests_and_categories_outside_of_training_have_id_zero(dataset: Dataset) -> None:
    train_only = attrs.evolve(
        dataset,
        impressions=dataset.impressions.with_columns(
            split=pl.when(pl.col("reader") < 5).then(pl.lit("train")).otherwise(pl.lit("dev"))
        ),
    )
    made = prepare_features(train_only, FeatureSettings())
    users = dataset.readers["user"].to_list()
    known = set(users[:5])
    assert [bool(index) for index in made.readers.user] == [user in known for user in users]
    assert made.vocabulary.interests == {"topics": ("football", "money"), "regions": ()}
    assert made.readers.interests["topics"].lengths[10:].sum() == 0


def test_history_is_the_latest_clicks_oldest_first(dataset: Dataset) -> None:
    made = prepare_features(dataset, FeatureSettings(history_length=2))
    longest = int(dataset.readers["clicks"].arg_max() or 0)
    expected = dataset.readers["history"][longest].to_list()[-2:]
    assert made.readers.history.take(np.array([longest])).values.tolist() == expected


def test_labels_stay_with_their_candidates_and_an_unlabelled_impression_has_none(dataset: Dataset) -> None:
    rows = dataset.impressions
    hidden = rows.with_columns(labels=pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.col("labels")))
    split = prepare_features(attrs.evolve(dataset, impressions=hidden), FeatureSettings()).split("train")
    expected = hidden.filter(pl.col("split") == "train")
    for index, labels in enumerate(expected["labels"].to_list()):
        got = split.labels[split.candidates.offsets[index] : split.candidates.offsets[index + 1]].tolist()
        assert split.labelled[index] == (labels is not None)
        assert got == (labels if labels is not None else [0] * len(got))


def test_a_second_start_maps_the_arrays_and_makes_nothing(
    dataset: Dataset, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = prepare_features(dataset, FeatureSettings(), cache=tmp_path)

    def never(*args: object) -> None:
        raise AssertionError("made again")

    monkeypatch.setattr(features_module, "_encode_news", never)
    monkeypatch.setattr(features_module, "build_vocabulary", never)
    second = prepare_features(dataset, FeatureSettings(), cache=tmp_path)
    assert isinstance(second.news.texts["title"].values, np.memmap)
    assert np.array_equal(first.news.texts["title"].values, second.news.texts["title"].values)
    assert second.vocabulary.fingerprint == first.vocabulary.fingerprint
    assert [path.name.startswith(".") for path in tmp_path.iterdir()] == [False]


def test_other_settings_or_data_have_a_cache_of_their_own(dataset: Dataset, tmp_path) -> None:
    prepare_features(dataset, FeatureSettings(), cache=tmp_path)
    prepare_features(dataset, FeatureSettings(texts={"title": 2}), cache=tmp_path)
    grown = dataset.with_texts(
        pl.DataFrame({"news": [0], "field": ["title"], "version": ["b"], "model": ["m"], "text": ["goal"]})
    )
    prepare_features(grown, FeatureSettings(), cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_damaged_cache_is_an_error_that_names_the_file(dataset: Dataset, tmp_path) -> None:
    prepare_features(dataset, FeatureSettings(), cache=tmp_path)
    damaged = next(tmp_path.iterdir()) / "text0.values.npy"
    damaged.write_bytes(b"nothing")
    with pytest.raises(UsageError, match=r"text0\.values\.npy.*damaged[\s\S]*delete the folder"):
        prepare_features(dataset, FeatureSettings(), cache=tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"texts": {"titel": 20}}, "no news has a text field 'titel'"),
        ({"text_version": "beter"}, "no text has the version 'beter'"),
        ({"train_split": "trian"}, "no split 'trian'"),
    ],
)
def test_a_wrong_name_is_an_error_with_the_valid_ones(dataset: Dataset, settings: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message) as raised:
        prepare_features(dataset, FeatureSettings(**settings))
    assert "valid" in str(raised.value)


def test_a_vocabulary_survives_json(features: Features) -> None:
    text = features.vocabulary.to_json()
    again = Vocabulary.from_json(text, where="vocabulary.json")
    assert again.to_json() == text
    titles = features.dataset.text("title")
    assert np.array_equal(again.tokens(titles, 9).values, features.vocabulary.tokens(titles, 9).values)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": 9}', "null"])
def test_something_else_is_no_vocabulary(text: str) -> None:
    with pytest.raises(UsageError, match="not a vocabulary"):
        Vocabulary.from_json(text, where="vocabulary.json")
