"""PLM-NR's options: which are refused, where and with what advice."""

import builtins
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from tiny_bert import made

from genre.dataset import Dataset
from genre.errors import UsageError
from genre.modeling.scoring import score_split
from genre.registry import Registry

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
