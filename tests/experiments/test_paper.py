"""The paper's protocol as an experiment file."""

from pathlib import Path

import pytest
from command_line import Genre

from genre.experiments import load_experiment

FILE = Path(__file__).parents[2] / "experiments" / "paper-mind-small.toml"

TINY = (
    'dataset.reader="sample"',
    "dataset.options={ news = 80, users = 60, train = 120, dev = 40, test = 40 }",
    'defaults.generator="fake"',
    "training.epochs=1",
    "seeds=[0]",
    "dataset.halve={ split = 'dev', into = ['dev', 'halved'] }",
)
"""Changes that leave the variants and baselines as they are, on a sample and without a key."""


def test_the_protocol_is_the_paper_s() -> None:
    experiment = load_experiment(FILE)
    assert len(experiment.baselines) == 8
    assert [variant.name for variant in experiment.variants] == [
        "original",
        "summarizer",
        "profiler",
        "generator",
        "chain",
        "all",
    ]
    assert len(experiment.seeds) == 5
    assert dict(experiment.features.texts) == {"title": 20, "abstract": 50}
    assert experiment.features.history_length == 30
    assert experiment.training.negatives == 4
    assert experiment.training.learning_rate == 1e-3


@pytest.mark.slow
def test_the_protocol_runs(genre: Genre, fake_plugin: Path) -> None:
    changes = [
        word
        for change in (*TINY, "dataset.halve={ split = 'dev', into = ['dev', 'halved'] }")
        for word in ("--set", change)
    ]
    outcome = genre("run", FILE, *changes)
    assert outcome.code == 0, outcome.err
    assert outcome.out.count("nrms") == 6 * 3
