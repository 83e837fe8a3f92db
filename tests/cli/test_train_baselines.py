"""`genre train` with each baseline on a small sample, and what `-o baseline.…` changes about one."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from command_line import Genre
from transformers import BertConfig, BertModel

from genre.dataset import load_dataset, save_dataset
from genre.experiments import read_dataset
from genre.registry import Registry

BASELINES = ["naml", "lstur", "nrms", "plmnr", "bst", "dcn", "pnn", "din"]
SMALL = {"news": 60, "users": 30, "train": 50, "dev": 20, "test": 20}
QUICK = ("-o", "training.epochs=1", "-o", "features.texts={title=8}", "-o", "features.history_length=5")


@pytest.fixture(autouse=True)
def data(tmp_path: Path) -> Path:
    save_dataset(read_dataset(Registry.load(), "sample", SMALL), tmp_path / "data")
    return tmp_path / "data"


def options(*pairs: str) -> list[str]:
    return [argument for pair in pairs for argument in ("-o", pair)]


def trained(genre: Genre, baseline: str, *pairs: str) -> Mapping[str, Any]:
    """What `model.json` says of the model's baseline."""
    outcome = genre("train", "data", "--baseline", baseline, "--out", "model", *QUICK, *options(*pairs))
    assert outcome.code == 0, outcome.err
    record = json.loads(Path("model/model.json").read_text())["baseline"]
    assert isinstance(record, dict)
    return record


@pytest.mark.parametrize("baseline", BASELINES)
def test_each_baseline_is_trained_saved_and_evaluated(genre: Genre, baseline: str) -> None:
    assert trained(genre, baseline, "baseline.dim=16")["name"] == baseline
    outcome = genre("evaluate", "model", "data", "--json")
    assert outcome.code == 0, outcome.err
    [row] = [row for row in json.loads(outcome.out)["rows"] if row["segment"] == "all"]
    assert row["baseline"] == baseline
    assert 0 <= row["auc"] <= 1


def test_interests_that_are_not_read_are_told(genre: Genre, data: Path) -> None:
    dataset = load_dataset(data)
    told = {"kind": "topics", "version": "profiler", "model": "m", "rank": 0, "value": "sports"}
    rows = pl.DataFrame([{"reader": reader, **told} for reader in range(3)])
    save_dataset(dataset.with_interests(rows), Path("profiled"))
    for fusion in ((), ("--fusion",)):
        outcome = genre("train", "profiled", "--baseline", "nrms", "--out", "model", *QUICK, *fusion)
        assert outcome.code == 0, outcome.err
        said = "interests of 3 readers are not read; --fusion makes the model read them"
        assert (said in " ".join(outcome.err.split())) != bool(fusion)


@pytest.mark.parametrize("dim", [400_000_000, 99_999_999_992])
def test_a_model_beyond_all_memory_is_an_error(genre: Genre, dim: int) -> None:
    outcome = genre("train", "data", "--baseline", "nrms", "--out", "model", *QUICK, "-o", f"baseline.dim={dim}")
    assert outcome.code == 1
    assert "error: there is not enough memory" in outcome.err
    assert "take a smaller model" in outcome.err


def test_all_eight_are_listed(genre: Genre) -> None:
    outcome = genre("plugins", "list", "--json", "--kind", "baseline")
    rows = json.loads(outcome.out)
    assert sorted(row["name"] for row in rows) == sorted(BASELINES)
    assert all(row["enabled"] and row["summary"] for row in rows)


def test_parts_of_a_baseline_are_replaced_and_their_options_stay_behind(genre: Genre) -> None:
    record = trained(
        genre,
        "din",
        "baseline.dim=16",
        "baseline.interaction=dot",
        "baseline.loss=cross-entropy",
        "baseline.field_encoders.text=cnn",
        "baseline.field_options.cnn.kernel=5",
        "baseline.user_options.widths=[8]",
    )
    assert (record["interaction"], record["interaction_options"]) == ("dot", {})
    assert (record["user_encoder"], record["user_options"]) == ("din", {"widths": [8]})
    assert (record["field_encoders"]["text"], record["field_encoders"]["category"]) == ("cnn", "embedding")
    assert record["field_options"] == {"cnn": {"kernel": 5}}
    assert (record["loss"], record["dim"]) == ("cross-entropy", 16)


def test_a_single_field_may_have_an_encoder_of_its_own(genre: Genre) -> None:
    record = trained(genre, "nrms", "baseline.dim=16", "baseline.field_encoders.title=cnn", "features.categories=[]")
    assert record["field_encoders"]["title"] == "cnn"


def test_training_settings_may_stand_with_the_baseline(genre: Genre) -> None:
    pairs = options("baseline.dim=16", "baseline.training.epochs=2", 'baseline.training.stop_split=""')
    outcome = genre("train", "data", "--baseline", "dcn", "--out", "model", *QUICK, *pairs)
    assert "epoch 2 of 2 is best (no early stopping)" in outcome.out


def test_a_frozen_language_model_is_trained_and_evaluated_from_its_folder(genre: Genre, tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    config = BertConfig(
        vocab_size=4, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
        max_position_embeddings=8,
    )  # fmt: skip
    torch.manual_seed(0)
    BertModel(config).save_pretrained(tmp_path / "bert")
    words = Tokenizer(models.WordLevel({"[PAD]": 0, "[UNK]": 1, "the": 2, "in": 3}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.save(str(tmp_path / "bert" / "tokenizer.json"))
    plm = ("baseline.field_options.plm.model=./bert", "baseline.field_options.plm.tuned_layers=0")
    record = trained(genre, "plmnr", "baseline.dim=16", *plm)
    saved = record["field_options"]["plm"]
    assert "model" not in saved  # the folder is not needed any more
    assert (saved["config"]["hidden_size"], saved["tuned_layers"]) == (8, 0)
    assert genre("evaluate", "model", "data", "--split", "dev").code == 0
    assert len(list(tmp_path.glob(".genre/**/states-*"))) == 1


MISTAKES = {
    "an encoder of a field that is not seen": (["baseline.field_encoders.titel=cnn"], ["'titel'", "'title'"]),
    "an encoder without a name": (["baseline.news_encoder=''"], ["no news-encoder ''"]),
    "tokenizers": (["features.tokenizers.title=/nosuch"], ["features.tokenizers", "leave them out"]),
    "an empty closed vocabulary": (["features.interest_vocabularies.topics=[]"], ["topics is empty"]),
    "an unknown table": (["model.dim=3"], ["unknown option 'model'", "baseline or features or training"]),
    "an unknown option": (["baseline.dims=3"], ["unknown option 'dims'", "did you mean 'dim'?"]),
    "an unknown user encoder": (["baseline.user_encoder=nmrs"], ["'nmrs'", "did you mean 'nrms'?"]),
    "an unknown news encoder": (["baseline.news_encoder=atention"], ["'atention'", "did you mean 'attention'?"]),
    "an unknown interaction": (["baseline.interaction=dto"], ["'dto'", "did you mean 'dot'?"]),
    "an unknown field encoder": (["baseline.field_encoders.text=ccn"], ["'ccn'", "did you mean 'cnn'?"]),
    "an unknown loss": (["baseline.loss=hinge"], ["baseline.loss", "hinge", "binary"]),
    "an unknown option of a part": (["baseline.user_options.head=2"], ["'head'", "did you mean 'heads'?"]),
    "an unknown training option": (["baseline.training.epoch=2"], ["'epoch'", "did you mean 'epochs'?"]),
    "options of an encoder that reads nothing": (
        ["baseline.field_options.cnn.kernel=3"],
        ["'cnn', which reads no field"],
    ),
    "a field of another kind": (
        ["baseline.field_encoders.category=cnn"],
        ["'cnn' reads text, and 'category' is of the kind 'category'"],
    ),
    "heads that do not divide": (["baseline.dim=12"], ["8 attention heads do not divide the width 12"]),
    "a field that stands twice": (["features.vectors=['title']"], ["the field 'title' stands twice"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_and_nothing_is_saved(genre: Genre, mistake: str) -> None:
    pairs, expected = MISTAKES[mistake]
    outcome = genre("train", "data", "--baseline", "nrms", "--out", "model", *QUICK, *options(*pairs))
    assert outcome.code == 2, outcome
    for text in expected:
        assert text in outcome.err
    assert "Traceback" not in outcome.err
    assert not Path("model").exists()
