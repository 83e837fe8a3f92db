from collections.abc import Callable
from pathlib import Path

import attrs
import numpy as np
import polars as pl
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from genre.dataset import Dataset
from genre.errors import UsageError
from genre.modeling import features as features_module
from genre.modeling.batches import news_batch
from genre.modeling.features import Features, field_specs, prepare_features
from genre.modeling.settings import FeatureSettings
from genre.modeling.vocabulary import Vocabulary, build_vocabulary
from genre.testing.planted import with_topics


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


def replace_by_archive(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, np.zeros(3, np.int32))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "junk": lambda path: path.write_bytes(b"nothing"),
    "missing": lambda path: path.unlink(),
    "another type": lambda path: np.save(path, np.load(path).astype(np.float64)),
    "several arrays": replace_by_archive,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_cache_is_an_error_that_names_the_file(dataset: Dataset, tmp_path: Path, damage: str) -> None:
    prepare_features(dataset, FeatureSettings(), cache=tmp_path)
    DAMAGES[damage](next(tmp_path.iterdir()) / "text0.values.npy")
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


# -- categories, entities and vectors -------------------------------------------------------------------------------

EVERY_KIND = FeatureSettings(
    texts={"title": 6, "abstract": 6}, entities={"title_entities": 3, "abstract_entities": 2}, vectors=("cover",)
)


def test_a_category_that_is_missing_is_masked(dataset: Dataset) -> None:
    news = dataset.news.with_columns(category=pl.when(pl.col("id") != "N1").then(pl.col("category")).fill_null(""))
    made = prepare_features(attrs.evolve(dataset, news=news), FeatureSettings())
    batch = news_batch(made.news, np.arange(3))["category"]
    assert batch.mask.tolist() == [[True], [False], [True]]
    assert "" not in made.vocabulary.categories["category"]


def test_a_news_without_a_vector_is_masked(dataset: Dataset) -> None:
    made = prepare_features(dataset, EVERY_KIND)
    batch = news_batch(made.news, np.arange(5))["cover"]
    assert batch.values.shape == (5, 6)
    assert batch.mask.tolist() == [[False], [True], [True], [True], [False]]


def test_an_entity_field_without_entities_is_masked(dataset: Dataset) -> None:
    made = prepare_features(dataset, EVERY_KIND)
    fields = news_batch(made.news, np.arange(5))
    assert fields["title_entities"].mask.any(-1).tolist() == [False, True, True, True, False]
    assert not fields["abstract_entities"].mask.any()


def test_the_order_of_fields_is_texts_categories_entities_vectors(dataset: Dataset) -> None:
    names = [*EVERY_KIND.texts, *EVERY_KIND.categories, *EVERY_KIND.entities, *EVERY_KIND.vectors]
    assert list(EVERY_KIND.field_kinds) == names
    assert [spec.name for spec in field_specs(build_vocabulary(dataset, EVERY_KIND), EVERY_KIND)] == names


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"texts": {"category": 3}}, "category"),
        ({"categories": ("category", "category")}, "category"),
        ({"vectors": ("cover", "cover")}, "cover"),
        ({"texts": {"cover": 3}, "vectors": ("cover",)}, "cover"),
        ({"texts": {"title_entities": 3}, "entities": {"title_entities": 3}}, "title_entities"),
    ],
)
def test_a_field_that_stands_twice_is_refused(settings: dict, name: str) -> None:
    with pytest.raises(ValueError, match=f"the field '{name}' stands twice"):
        FeatureSettings(**settings)


@pytest.mark.parametrize("settings", [{"texts": {"title": 0}}, {"entities": {"title_entities": -1}}])
def test_a_field_of_no_length_is_refused(settings: dict) -> None:
    with pytest.raises(ValueError, match="keeps at least one"):
        FeatureSettings(**settings)


def test_vectors_that_the_data_set_lacks_are_an_error_with_those_it_has(dataset: Dataset) -> None:
    with pytest.raises(UsageError, match=r"no news has vectors 'covers'[\s\S]*did you mean 'cover'"):
        prepare_features(dataset, FeatureSettings(vectors=("covers",)))


def test_vectors_of_another_width_than_the_model_s_are_an_error(dataset: Dataset) -> None:
    settings = FeatureSettings(vectors=("cover",))
    vocabulary = build_vocabulary(dataset, settings)
    without = attrs.evolve(dataset, vectors=dataset.vectors.clear())
    wider = without.with_vectors("cover", ["N0"], np.ones((1, 7), np.float32))
    with pytest.raises(UsageError, match="'cover' have 7 numbers, and the model was trained with 6"):
        prepare_features(wider, settings, vocabulary=vocabulary)


def test_every_kind_of_field_comes_out_of_the_cache_as_it_went_in(dataset: Dataset, tmp_path) -> None:
    made = prepare_features(dataset, EVERY_KIND)
    for _ in range(2):
        cached = prepare_features(dataset, EVERY_KIND, cache=tmp_path)
        assert cached.vocabulary.to_json() == made.vocabulary.to_json()
        before, after = (news_batch(each.news, np.arange(80)) for each in (made, cached))
        assert list(after) == list(before)
        for name, field in before.items():
            assert torch.equal(after[name].values, field.values)
            assert torch.equal(after[name].mask, field.mask)


def test_a_vocabulary_with_entities_and_vectors_survives_json(dataset: Dataset) -> None:
    vocabulary = build_vocabulary(dataset, EVERY_KIND)
    again = Vocabulary.from_json(vocabulary.to_json(), where="vocabulary.json")
    assert (again.entities, again.vector_widths, again.word_width) == (vocabulary.entities, {"cover": 6}, None)
    assert again.fingerprint == vocabulary.fingerprint


# -- interests ------------------------------------------------------------------------------------------------------


def test_an_open_vocabulary_has_the_interests_of_enough_readers(dataset: Dataset) -> None:
    rare = with_topics(dataset, {0: ["football", "chess"], 1: ["football", "money"], 2: ["money", "money"]}, "rare")
    assert build_vocabulary(rare, FeatureSettings()).interests["topics"] == ("chess", "football", "money")
    few = build_vocabulary(rare, FeatureSettings(interest_min_count=2))
    assert few.interests == {"topics": ("football", "money"), "regions": ()}


def test_a_closed_vocabulary_is_the_list_as_it_stands(dataset: Dataset) -> None:
    settings = FeatureSettings(
        interest_vocabularies={"topics": ("money", "chess", "money")}, interest_min_count=1_000_000
    )
    made = prepare_features(dataset, settings)
    assert made.vocabulary.interests == {"topics": ("money", "chess"), "regions": ()}
    # Readers have "football", which the list lacks, and every other one of the first ten "money".
    assert made.readers.interests["topics"].lengths[:10].tolist() == [0, 1] * 5
    assert set(made.readers.interests["topics"].values.tolist()) == {1}


@pytest.mark.parametrize("length", [1, 2, 3, 9])
def test_a_text_has_no_more_tokens_than_it_may_whatever_its_tokenizer_adds(features: Features, length: int) -> None:
    made = Tokenizer(WordLevel({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2}, unk_token="[UNK]"))
    made.pre_tokenizer = Whitespace()
    made.post_processor = TemplateProcessing("[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    words = features.vocabulary.tokenizers
    vocabulary = attrs.evolve(features.vocabulary, tokenizers={**words, "mine": made.to_str()})
    tokens = vocabulary.tokens(pl.Series(["a b c d e", ""]), length, "mine")
    assert tokens.lengths.tolist() == [min(length, 7), 0]
