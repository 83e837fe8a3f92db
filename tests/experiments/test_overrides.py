"""What an experiment changes about a baseline: its parts, their options, its loss."""

import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from command_line import Genre, Outcome

from genre.experiments.models import overridden
from genre.experiments.plan import BaselineOverride
from genre.parts import Baseline
from genre.registry import Registry

EXPERIMENT = """
name = "tiny"
baselines = ["plmnr"]
untrained = []
report = ["dev"]

[dataset]
reader = "sample"
options = { news = 60, users = 30, train = 50, dev = 20, test = 20 }

[features]
texts = { title = 8 }
history_length = 5

[training]
epochs = 1

[overrides.plmnr]
dim = 16
loss = "binary"
user_encoder = "din"
interaction = "deep"
interaction_options = { widths = [8], activation = "dice" }

[overrides.plmnr.field_options.plm.config]
model_type = "bert"
num_hidden_layers = 1
num_attention_heads = 2

[[variants]]
name = "original"
"""


@pytest.fixture
def registry() -> Registry:
    return Registry.load()


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    (tmp_path / "tiny.toml").write_text(EXPERIMENT)
    return tmp_path / "tiny.toml"


def changed(registry: Registry, baseline: str, **changes: Any) -> Baseline:
    return overridden(registry.baseline(baseline), BaselineOverride(**changes))


def test_an_empty_override_changes_nothing(registry: Registry) -> None:
    for name in ("lstur", "bst", "din"):
        assert attrs.asdict(changed(registry, name)) == attrs.asdict(registry.baseline(name))


def test_a_replaced_part_s_options_stay_behind(registry: Registry) -> None:
    record = changed(registry, "lstur", user_encoder="nrms", field_encoders={"text": "self-attention"})
    assert (record.user_encoder, record.user_options) == ("nrms", {})
    assert record.field_encoders["text"] == "self-attention"
    assert record.field_options == {}


def test_a_part_that_is_named_again_keeps_its_options(registry: Registry) -> None:
    record = changed(registry, "lstur", user_encoder="lstur", field_encoders={"text": "cnn"})
    assert record.user_options == {"long_term": "ini"}
    assert record.field_options == {"cnn": {"dropout": 0.2}}


def test_options_are_laid_over_those_of_a_part_that_stays(registry: Registry) -> None:
    record = changed(registry, "lstur", field_options={"cnn": {"kernel": 5}}, user_options={"user_dropout": 0.0})
    assert record.field_options == {"cnn": {"dropout": 0.2, "kernel": 5}}
    assert record.user_options == {"long_term": "ini", "user_dropout": 0.0}


def test_an_encoder_that_one_field_still_has_keeps_its_options(registry: Registry) -> None:
    record = changed(registry, "lstur", field_encoders={"text": "embedding", "title": "cnn"})
    assert record.field_options == {"cnn": {"dropout": 0.2}}


def test_a_news_encoder_and_a_loss_are_replaced(registry: Registry) -> None:
    record = changed(registry, "naml", news_encoder="mean", loss="binary", dim=32)
    assert (record.news_encoder, record.loss, record.dim) == ("mean", "binary", 32)
    assert registry.baseline("naml").news_encoder == "attention"


def test_a_run_trains_the_composition_that_the_experiment_names(genre: Genre, experiment: Path) -> None:
    outcome = genre("run", experiment)
    assert outcome.code == 0, outcome.err
    record = json.loads(Path("runs/tiny/cells/original-plmnr-0/model/model.json").read_text())["baseline"]
    assert (record["field_encoders"]["text"], record["user_encoder"], record["interaction"]) == ("plm", "din", "deep")
    assert (record["loss"], record["dim"], record["interaction_options"]["widths"]) == ("binary", 16, [8])
    assert record["field_options"]["plm"]["config"]["num_hidden_layers"] == 1


WRONG = {
    "an unknown baseline": ("overrides.plmrn.dim=3", ["tiny.toml", "'plmrn'", "did you mean 'plmnr'?"]),
    "an unknown user encoder": ("overrides.plmnr.user_encoder=dinn", ["'dinn'", "did you mean 'din'?"]),
    "an unknown news encoder": ("overrides.plmnr.news_encoder=meen", ["'meen'", "did you mean 'mean'?"]),
    "an unknown interaction": ("overrides.plmnr.interaction=depe", ["'depe'", "did you mean 'deep'?"]),
    "an unknown field encoder": ("overrides.plmnr.field_encoders.text=pml", ["'pml'", "did you mean 'plm'?"]),
    "an unknown option": ("overrides.plmnr.user=din", ["tiny.toml", "overrides"]),
    "an unknown loss": ("overrides.plmnr.loss=binry", ["tiny.toml", "overrides"]),
    "options of an encoder that reads nothing": (
        "overrides.plmnr.field_options.pml={dropout=0.1}",
        ["'pml', which reads no field", "did you mean 'plm'?"],
    ),
    "an unknown option of a part": ("overrides.plmnr.user_options.width=[3]", ["'width'", "did you mean 'widths'?"]),
    "an unknown training option": ("overrides.plmnr.training.epoch=3", ["tiny.toml", "did you mean 'epochs'?"]),
}


def run_with(genre: Genre, folder: Path, change: str) -> Outcome:
    """A run with a round, whose generator would be asked."""
    (folder / "tiny.toml").write_text(EXPERIMENT + 'rounds = [{ task = "user-profiler" }]\n')
    return genre("run", "tiny.toml", "--set", change)


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_name_is_told_before_any_call(genre: Genre, fake_plugin: Path, wrong: str) -> None:
    change, expected = WRONG[wrong]
    outcome = run_with(genre, fake_plugin, change)
    assert outcome.code == 2, outcome
    for text in expected:
        assert text in outcome.err
    assert "Traceback" not in outcome.err
    assert not Path(".genre/answers.sqlite").exists()


@pytest.mark.parametrize("wrong", ["an unknown user encoder", "an unknown interaction", "an unknown option of a part"])
def test_a_wrong_name_is_told_with_the_experiment_file(genre: Genre, fake_plugin: Path, wrong: str) -> None:
    outcome = run_with(genre, fake_plugin, WRONG[wrong][0])
    assert "tiny.toml, overrides.plmnr" in outcome.err


@pytest.mark.parametrize(("change", "name"), [("user=din", "'user'"), ("loss=binry", "binry")])
def test_a_wrong_option_of_an_override_is_named(genre: Genre, fake_plugin: Path, change: str, name: str) -> None:
    assert name in run_with(genre, fake_plugin, f"overrides.plmnr.{change}").err
