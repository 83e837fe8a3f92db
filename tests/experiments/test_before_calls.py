"""What is wrong in an experiment or an enrichment is told before anything is asked or trained."""

from pathlib import Path

import pytest
from command_line import Genre

EXPERIMENT = """
name = "tiny"
baselines = ["nrms"]
untrained = []
report = ["dev"]

[dataset]
reader = "sample"
options = { news = 60, users = 30, train = 50, dev = 20, test = 20 }

[features]
texts = { title = 8 }

[training]
epochs = 1

[overrides.nrms]
dim = 16

[[variants]]
name = "rich"
rounds = [{ task = "news-summarizer" }, { task = "news-generator", limit = 2 }]
"""

WRONG = {
    "a stop split of an override": (
        "overrides.nrms.training.stop_split=nosuch",
        "tiny.toml, overrides.nrms.training.stop_split: the data set has no split 'nosuch'",
    ),
    "a stop split": ("training.stop_split=nosuch", "tiny.toml, training.stop_split: the data set has no split"),
    "a split of the report": ("report=['nosuch']", "tiny.toml, report: the data set has no split 'nosuch'"),
    "an override of what is not trained": (
        "overrides.naml.dim=8",
        "tiny.toml, overrides.naml: the experiment trains no baseline 'naml'",
    ),
    "no seed": ("seeds=[]", "tiny.toml, seeds: there is no seed"),
    "an unknown field encoder": (
        "overrides.nrms.field_encoders.text=plmm",
        "tiny.toml, overrides.nrms.field_encoders.text: there is no field-encoder 'plmm'",
    ),
    "an unknown field encoder of a kind that nothing has": (
        "overrides.nrms.field_encoders.entities=nosuch",
        "tiny.toml, overrides.nrms.field_encoders.entities: there is no field-encoder 'nosuch'",
    ),
    "a text in place of a table": (
        "overrides.nrms.field_encoders=cnn",
        "tiny.toml.overrides.nrms.field_encoders: wrong value: 'cnn' is no table",
    ),
    "a language that nobody knows": (
        "tasks.news-summarizer.gates.language.languages=['xx']",
        "knows no language 'xx'",
    ),
    "a text field of a gate": ("tasks.news-generator.gates.distinct.field=titel", "no news has a text field 'titel'"),
    "a text field of another gate": (
        "tasks.news-generator.gates.near-distinct.field=titel",
        "gates.near-distinct.field: no news has a text field 'titel'",
    ),
    "one of several text fields of a gate": (
        "tasks.news-generator.gates.history-similarity.fields=['title', 'abstrakt']",
        "gates.history-similarity.fields: no news has a text field 'abstrakt'",
    ),
    "a property of a gate": ("tasks.news-generator.gates.distinct.property=titel", "no property 'titel'"),
}


@pytest.fixture
def experiment(fake_plugin: Path) -> Path:
    (fake_plugin / "tiny.toml").write_text(EXPERIMENT)
    return fake_plugin / "tiny.toml"


@pytest.mark.parametrize("wrong", WRONG)
def test_a_mistake_is_told_before_any_call(genre: Genre, experiment: Path, wrong: str) -> None:
    change, message = WRONG[wrong]
    outcome = genre("run", "tiny.toml", "--set", change)
    assert outcome.code == 2, outcome
    assert message in outcome.err
    assert "Traceback" not in outcome.err
    assert not Path(".genre/answers.sqlite").exists()


def test_a_split_that_every_override_names_anew_need_not_exist(genre: Genre, experiment: Path) -> None:
    outcome = genre(
        "run", "tiny.toml", "--set", "training.stop_split=nosuch", "--set", "overrides.nrms.training.stop_split=dev",
        "--set", "variants=[{name='original'}]",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err


def test_a_change_may_leave_out_a_baseline_that_the_file_overrides(genre: Genre, experiment: Path) -> None:
    outcome = genre("run", "tiny.toml", "--set", "baselines=['dcn']", "--set", "variants=[{name='original'}]")
    assert outcome.code == 0, outcome.err


def test_a_gate_may_read_what_an_earlier_round_writes(genre: Genre, experiment: Path) -> None:
    outcome = genre(
        "run", "tiny.toml", "--set", "baselines=[]", "--set", "untrained=['popularity']",
        "--set", "tasks.news-generator.gates.history-similarity={reads='news-summarizer', at_most=1.0}",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err


def test_enrich_takes_options_of_gates(genre: Genre, fake_plugin: Path, small_folder: Path) -> None:
    arguments = ("enrich", small_folder, "--task", "news-summarizer", "--out", "rich", "--json")
    gated = genre(*arguments, "-o", 'gates.distinct.property="title"', "-o", "gates.length.min_words=99")
    assert gated.code == 0, gated.err
    assert "rejected by length: title below 99 words" in gated.out
    wrong = genre(*arguments, "-o", "gates.distinct.property=titel")
    assert (wrong.code, "no property 'titel'" in wrong.err) == (2, True)


def test_enrich_tells_of_a_gate_that_cannot_be_made_before_any_call(
    genre: Genre, fake_plugin: Path, small_folder: Path
) -> None:
    arguments = ("enrich", small_folder, "--task", "news-summarizer", "--out", "rich")
    outcome = genre(*arguments, "-o", "gates.language.languages=['xx']")
    assert (outcome.code, "knows no language 'xx'" in outcome.err) == (2, True)
    assert not [each for each in (".genre", "rich", "rich-rounds") if Path(each).exists()]


def test_a_run_whose_generator_cannot_be_made_leaves_nothing(genre: Genre, experiment: Path) -> None:
    outcome = genre("run", "tiny.toml", "--set", "generators.fake.plugin=replay", "--set", "generators.fake.paths=[]")
    assert (outcome.code, "paths is empty" in outcome.err) == (2, True)
    assert not [each for each in (".genre", "runs") if Path(each).exists()]
