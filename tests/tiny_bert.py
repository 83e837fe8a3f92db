"""A BERT that is small enough for tests, and PLM-NR made with it."""

from collections.abc import Mapping
from pathlib import Path

import attrs
import polars as pl
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from genre.dataset import Dataset
from genre.modeling.composition import build_recommender, with_tokenizers
from genre.modeling.features import Features, prepare_features
from genre.modeling.recommender import Recommender
from genre.modeling.settings import FeatureSettings
from genre.parts import Baseline
from genre.registry import Registry
from genre.testing.planted import WORDS
from genre_baselines.plmnr import LanguageModelFieldEncoder

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


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


def with_titles(dataset: Dataset, *titles: str) -> Dataset:
    rows = {"news": range(len(titles)), "field": "title", "version": "new", "model": "m", "text": titles}
    return dataset.with_texts(pl.DataFrame(rows))
