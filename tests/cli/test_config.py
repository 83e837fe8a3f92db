"""`genre config show`: every value, and who says it."""

import json
from pathlib import Path

import pytest
from command_line import Genre

EXPERIMENT = """\
name = "shown"
baselines = ["nrms"]
dataset = { reader = "sample", options = { news = 80 } }

[training]
epochs = 3

[generators.asked]
plugin = "litellm"
api_key = { env = "ASKED_KEY" }

[[variants]]
name = "original"
fusion = false
"""


VAULT = """
import attrs

from genre import hookimpl
from genre.options import Secret
from genre.parts import Part


@attrs.frozen
class Options:
    pin: Secret | None = None
    colour: str = ""


@hookimpl
def genre_generators():
    options = "genre_local_vault:Options"
    yield Part(name="vault", summary="Never asked", target="genre_local_vault:Vault", options=options)
"""


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    (tmp_path / "shown.toml").write_text(EXPERIMENT)
    return tmp_path / "shown.toml"


def shown(genre: Genre, *arguments: object) -> dict[str, tuple[object, str]]:
    outcome = genre("config", "show", *arguments, "--json")
    assert outcome.code == 0, outcome.err
    return {row["key"]: (row["value"], row["origin"]) for row in json.loads(outcome.out)}


def test_a_value_of_the_file_is_told_with_its_line(genre: Genre, experiment: Path) -> None:
    values = shown(genre, experiment)
    assert values["training.epochs"] == (3, f"{experiment}:6")
    assert values["dataset.options.news"] == (80, f"{experiment}:3")
    assert values["variants.0.fusion"] == (False, f"{experiment}:14")


def test_a_value_in_a_list_is_told_with_its_own_line(genre: Genre, experiment: Path) -> None:
    further = """
[[variants]]
name = "second"
rounds = [
  { task = "user-profiler", limit = 3 },
]

[[variants]]
name = "third"

[[variants.rounds]]
task = "user-profiler"

[variants.rounds.options]
readers = "new"
"""
    experiment.write_text(EXPERIMENT + further)
    values = shown(genre, experiment)
    for key, line in (
        ("1.name", 17), ("1.rounds.0.limit", 18), ("2.name", 23), ("2.rounds.0.task", 26),
        ("2.rounds.0.options.readers", 29),
    ):  # fmt: skip
        assert values[f"variants.{key}"][1] == f"{experiment}:{line}"


def test_what_nobody_says_is_a_default(genre: Genre, experiment: Path) -> None:
    values = shown(genre, experiment)
    assert values["training.batch_size"] == (64, "default")
    assert values["variants.0.texts"] == ("latest", "default")


def test_the_command_line_is_above_the_file(genre: Genre, experiment: Path) -> None:
    values = shown(genre, experiment, "--set", "training.epochs=5", "--set", "dataset.options.users=60")
    assert values["training.epochs"] == (5, "command line")
    assert values["dataset.options.users"] == (60, "command line")
    assert values["dataset.options.news"] == (80, f"{experiment}:3")


def test_a_list_of_the_command_line_takes_the_place_of_the_file_s(genre: Genre, experiment: Path) -> None:
    values = shown(genre, experiment, "--set", 'variants=[{name = "other"}]')
    assert values["variants.0.name"] == ("other", "command line")
    assert values["variants.0.fusion"] == (False, "default")


def test_tables_of_registry_toml_are_told_from_every_layer(genre: Genre, experiment: Path) -> None:
    (experiment.parent / "registry.toml").write_text("[generators.local]\nlimits = { concurrency = 2 }\n")
    values = shown(genre, experiment)
    assert values["generators.local.limits.concurrency"] == (2, f"{experiment.parent / 'registry.toml'}:2")
    assert values["generators.asked.plugin"] == ("litellm", f"{experiment}:9")
    plugin, origin = values["generators.local.plugin"]
    assert plugin == "local"
    assert origin.partition(":")[0].endswith("registry.toml")
    assert origin != values["generators.local.limits.concurrency"][1]


def test_a_key_is_told_by_the_name_of_its_variable(
    genre: Genre, experiment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASKED_KEY", "sk-secret")
    outcome = genre("config", "show", experiment, "--origin")
    assert 'generators.asked.api_key = "$ASKED_KEY"' in outcome.out
    assert "sk-secret" not in outcome.out


def test_a_key_in_clear_text_is_not_shown(genre: Genre, experiment: Path) -> None:
    experiment.write_text(EXPERIMENT.replace('{ env = "ASKED_KEY" }', '"sk-in-clear-text"'))
    outcome = genre("config", "show", experiment, "--origin")
    assert "sk-in-clear-text" not in outcome.out + outcome.err
    assert "(hidden)" in outcome.out


@pytest.mark.parametrize(
    "change",
    [
        "generators.asked.api_key={ value = 'swordfish' }",
        "trackers.mlflow.tracking_uri='postgresql://me:swordfish@host/db'",
    ],
)
def test_a_secret_is_not_shown_wherever_it_stands(genre: Genre, experiment: Path, change: str) -> None:
    for form in ("--origin", "--json"):
        outcome = genre("config", "show", experiment, "--set", change, form)
        assert (outcome.code, "swordfish" in outcome.out + outcome.err, "(hidden)" in outcome.out) == (0, False, True)


def test_a_misspelt_key_of_registry_toml_is_not_shown(genre: Genre, tmp_path: Path) -> None:
    (tmp_path / "registry.toml").write_text("[generators.asked]\nplugin = 'litellm'\nkeys = ['swordfish']\n")
    assert shown(genre)["generators.asked.keys"][0] == "(hidden)"


def test_what_a_part_declares_as_a_secret_is_not_shown_whatever_it_is_called(genre: Genre, fake_plugin: Path) -> None:
    (fake_plugin / "mine" / "vault.py").write_text(VAULT)
    settings = fake_plugin / "registry.toml"
    settings.write_text(settings.read_text() + "[generators.vault]\npin = 'swordfish'\ncolour = 'red'\n")
    values = shown(genre)
    assert (values["generators.vault.pin"][0], values["generators.vault.colour"][0]) == ("(hidden)", "red")
    settings.write_text(settings.read_text().replace("'swordfish'", "{ env = 'VAULT_PIN' }"))
    assert shown(genre)["generators.vault.pin"][0] == "$VAULT_PIN"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("trackers.TYPO.folder=x", "command line, trackers.TYPO: there is no tracker 'TYPO'"),
        ("generators.TYPO.model=x", "command line, generators.TYPO: there is no generator 'TYPO'"),
        ("generators.asked.modell=x", "command line, generators.asked.modell: unknown option 'modell'"),
        ("generators.asked.limits.attemps=1", "generators.asked.limits.attemps: unknown option 'attemps'"),
        ("trackers.jsonl.file=x", "command line, trackers.jsonl.file: unknown option 'file'"),
        ("executors.local=x", "executors.local is 'x', and a table is expected"),
    ],
)
@pytest.mark.parametrize("command", [("config", "show"), ("run",), ("estimate",)])
def test_a_name_that_means_nothing_is_told_though_nobody_uses_it(
    genre: Genre, experiment: Path, command: tuple[str, ...], change: str, message: str
) -> None:
    outcome = genre(*command, experiment, "--set", change)
    assert (outcome.code, message in outcome.err, "\n  -> " in outcome.err) == (2, True, True), outcome.err


def test_what_only_sounds_like_a_secret_is_shown(genre: Genre, experiment: Path) -> None:
    change = "overrides.nrms.field_options.plm.tokenizer='tokenizer.json'"
    values = shown(genre, experiment, "--set", change, "--set", "generators.key-words.plugin=litellm")
    assert values["overrides.nrms.field_options.plm.tokenizer"] == ("tokenizer.json", "command line")
    assert values["generators.key-words.plugin"] == ("litellm", "command line")


def test_what_json_has_no_value_for_is_a_text(genre: Genre, experiment: Path) -> None:
    changes = (
        "dataset.options.since=2024-01-31",
        "training.clip_norm=inf",
        "generators.asked.parameters.since=[12:00:00]",
    )
    values = shown(genre, experiment, *(part for each in changes for part in ("--set", each)))
    assert values["dataset.options.since"] == ("2024-01-31", "command line")
    assert values["training.clip_norm"] == ("inf", "command line")
    assert values["generators.asked.parameters.since"] == (["12:00:00"], "command line")
    assert genre("config", "show", experiment, "--set", changes[0]).code == 0


def test_without_an_experiment_registry_toml_is_shown(genre: Genre) -> None:
    outcome = genre("config", "show", "--origin")
    assert outcome.code == 0
    assert 'defaults.generator = "local"  # ' in outcome.out
    assert "training" not in outcome.out


def test_a_value_on_a_line_of_its_own_holds_no_escape_of_the_terminal(genre: Genre, experiment: Path) -> None:
    experiment.write_text(EXPERIMENT + 'texts = "\\u001b[31mred"\n')
    assert "\x1b" not in genre("config", "show", experiment).out


def test_changes_of_nothing_are_refused(genre: Genre) -> None:
    outcome = genre("config", "show", "--set", "training.epochs=5")
    assert outcome.code == 2
    assert "name an experiment file" in outcome.err


def test_a_mistake_in_the_file_is_told_as_by_a_run(genre: Genre, experiment: Path) -> None:
    experiment.write_text(EXPERIMENT.replace("epochs", "epoch"))
    outcome = genre("config", "show", experiment)
    assert outcome.code == 2
    assert "did you mean 'epochs'" in outcome.err


def test_trackers_are_told_with_who_names_them_and_who_describes_them(genre: Genre, experiment: Path) -> None:
    experiment.write_text(f'{EXPERIMENT}\n[trackers.team]\nplugin = "mlflow"\n')
    change = ("--set", "trackers.team.experiment=all")
    values = shown(genre, experiment, *change)
    assert values["trackers"] == (["team"], f"{experiment}:16")
    assert values["trackers.team.plugin"] == ("mlflow", f"{experiment}:17")
    assert values["trackers.team.experiment"] == ("all", "command line")
    values = shown(genre, experiment, *change, "--set", "trackers=['jsonl']")
    assert values["trackers"] == (["jsonl"], "command line")
