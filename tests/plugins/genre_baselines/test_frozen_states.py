"""The states of frozen language models: computed once, kept on disk, and as good as computing them anew."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_bert import encoder_of, made, with_titles, write_model
from torch import Tensor

from genre.dataset import Dataset
from genre.errors import RunError, UsageError
from genre.modeling import frozen
from genre.modeling.checkpoint import TrainedModel, load_model, save_model
from genre.modeling.features import prepare_features
from genre.modeling.frozen import with_frozen_states
from genre.modeling.scoring import score_split
from genre.modeling.settings import TrainingSettings
from genre.modeling.training import train
from genre.registry import Registry
from genre_baselines.plmnr import LanguageModelFieldEncoder


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many news each call of the language model got."""
    counts: list[int] = []
    states = LanguageModelFieldEncoder.states

    def counted(self: LanguageModelFieldEncoder, values: Tensor, mask: Tensor) -> Tensor:
        counts.append(len(values))
        return states(self, values, mask)

    monkeypatch.setattr(LanguageModelFieldEncoder, "states", counted)
    return counts


def test_states_are_computed_once_for_training_and_evaluation(
    registry: Registry, dataset: Dataset, folder: Path, tmp_path: Path, calls: list[int]
) -> None:
    recommender, features = made(registry, dataset, model=str(folder), tuned_layers=0)
    ready = with_frozen_states(features, recommender, cache=tmp_path)
    assert sum(calls) == dataset.news.height
    train(recommender, ready, TrainingSettings(epochs=2), seed=0)
    again = with_frozen_states(features, recommender, cache=tmp_path)
    score_split(recommender, again, again.split("dev"))
    assert sum(calls) == dataset.news.height


def test_states_are_mapped_from_disk(registry: Registry, dataset: Dataset, folder: Path, tmp_path: Path) -> None:
    recommender, features = made(registry, dataset, model=str(folder), tuned_layers=0)
    states = with_frozen_states(features, recommender, cache=tmp_path).news.states["title"]
    assert isinstance(states, np.memmap)
    assert (states.shape, states.dtype) == ((len(features.news.texts["title"].values), 8), np.float16)
    assert [path.name[:7] for path in tmp_path.iterdir()] == ["states-"]


def test_every_text_field_has_states(registry: Registry, dataset: Dataset, folder: Path) -> None:
    texts = {"title": 6, "abstract": 4}
    recommender, features = made(registry, dataset, texts, model=str(folder), tuned_layers=0)
    states = with_frozen_states(features, recommender).news.states
    assert {name: len(each) for name, each in states.items()} == {
        name: len(features.news.texts[name].values) for name in texts
    }


@pytest.mark.parametrize("cached", [True, False])
def test_scores_with_states_equal_those_without(
    registry: Registry, dataset: Dataset, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cached: bool
) -> None:
    monkeypatch.setattr(frozen, "_NEWS_AT_A_TIME", 7)
    recommender, features = made(registry, with_titles(dataset, ""), model=str(folder), tuned_layers=0)
    ready = with_frozen_states(features, recommender, cache=tmp_path if cached else None)
    recommender.eval()
    split = features.split("dev")
    without, with_states = (score_split(recommender, each, split) for each in (features, ready))
    np.testing.assert_allclose(with_states, without, atol=5e-3)
    assert (with_states != without).any()  # half precision


def test_progress_is_told(registry: Registry, dataset: Dataset, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frozen, "_NEWS_AT_A_TIME", 30)
    recommender, features = made(registry, dataset, model=str(folder), tuned_layers=0)
    told: list[tuple[int, int]] = []
    with_frozen_states(features, recommender, on_progress=lambda *numbers: told.append(numbers))
    assert told == [(30, 80), (60, 80), (80, 80)]


def test_a_model_that_is_trained_has_no_states(registry: Registry, dataset: Dataset, folder: Path) -> None:
    recommender, features = made(registry, dataset, model=str(folder), tuned_layers=1)
    assert with_frozen_states(features, recommender) is features


def test_states_are_kept_by_weights_and_tokens(
    registry: Registry, dataset: Dataset, folder: Path, tmp_path: Path, calls: list[int]
) -> None:
    other = write_model(tmp_path / "other", seed=1)
    copy = write_model(tmp_path / "copy")
    cache = tmp_path / "cache"
    counts = []
    for model, texts in ((folder, {"title": 6}), (copy, {"title": 6}), (other, {"title": 6}), (folder, {"title": 4})):
        recommender, features = made(registry, dataset, texts, model=str(model), tuned_layers=0)
        with_frozen_states(features, recommender, cache=cache)
        counts.append(len(list(cache.iterdir())))
    assert counts == [1, 1, 2, 3]
    recommender, features = made(registry, dataset, model=str(folder), tuned_layers=0, layers=2)
    with_frozen_states(features, recommender, cache=cache)
    assert len(list(cache.iterdir())) == 4


def test_a_loaded_model_s_states_are_of_its_own_weights_whatever_the_folder_has_become(
    registry: Registry, dataset: Dataset, tmp_path: Path
) -> None:
    folder = write_model(tmp_path / "bert")
    recommender, features = made(registry, dataset, model=str(folder), tuned_layers=0)
    key = encoder_of(recommender).states_key
    save_model(tmp_path / "model", TrainedModel(recommender.eval(), features.vocabulary, features.settings))
    write_model(folder, seed=5)
    again = load_model(tmp_path / "model", registry).recommender
    assert encoder_of(again).states_key == key
    assert encoder_of(made(registry, dataset, model=str(folder), tuned_layers=0)[0]).states_key != key


DAMAGES: dict[str, Callable[[Path], object]] = {
    "junk": lambda path: path.write_bytes(b"nothing"),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:200]),
    "missing": lambda path: path.unlink(),
    "another shape": lambda path: np.save(path, np.zeros((2, 3), np.float16)),
    "another type": lambda path: np.save(path, np.load(path).astype(np.float64)),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_cache_is_an_error_that_names_the_file(
    registry: Registry, dataset: Dataset, folder: Path, tmp_path: Path, damage: str
) -> None:
    recommender, features = made(registry, dataset, model=str(folder), tuned_layers=0)
    with_frozen_states(features, recommender, cache=tmp_path)
    [path] = tmp_path.glob("*/states.npy")
    DAMAGES[damage](path)
    with pytest.raises(UsageError, match=r"cache is damaged[\s\S]*delete the folder") as raised:
        with_frozen_states(features, recommender, cache=tmp_path)
    assert raised.value.where == str(path)


def test_a_state_that_half_precision_cannot_hold_is_an_error_and_nothing_is_kept(
    registry: Registry, dataset: Dataset, folder: Path, tmp_path: Path
) -> None:
    recommender, features = made(registry, dataset, model=str(folder), tuned_layers=0)
    with torch.no_grad():
        encoder_of(recommender).model.encoder.layer[2].output.LayerNorm.bias.fill_(1e6)
    with pytest.raises(RunError, match="too large for half precision"):
        with_frozen_states(features, recommender, cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_frozen_model_scores_the_same_after_it_was_saved_and_loaded(
    registry: Registry, dataset: Dataset, folder: Path, tmp_path: Path
) -> None:
    recommender, features = made(registry, dataset, model=str(folder), tuned_layers=0)
    ready = with_frozen_states(features, recommender, cache=tmp_path / "cache")
    train(recommender, ready, TrainingSettings(epochs=1), seed=0)
    save_model(tmp_path / "model", TrainedModel(recommender, features.vocabulary, features.settings))
    again = load_model(tmp_path / "model", registry)
    later = prepare_features(dataset, again.settings, vocabulary=again.vocabulary)
    later = with_frozen_states(later, again.recommender, cache=tmp_path / "cache")
    split = features.split("dev")
    before = score_split(recommender, ready, split)
    assert (score_split(again.recommender, later, split) == before).all()
    assert len(list((tmp_path / "cache").iterdir())) == 1
