import subprocess
import sys

import pytest

from genre.registry import Registry

import attrs  # isort: skip


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.load()


def test_the_declarations_and_options_need_no_torch() -> None:
    code = "import sys, genre_baselines, genre_baselines.options; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_settings_of_the_modeling_half_need_no_torch() -> None:
    code = "import sys; from genre.modeling import TrainingSettings; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["nrms", "dcn"])
def test_a_baseline_names_registered_parts_and_options_that_they_have(registry: Registry, name: str) -> None:
    record = registry.baseline(name)
    parts = [
        ("news-encoder", record.news_encoder, record.news_options),
        ("user-encoder", record.user_encoder, record.user_options),
        ("interaction", record.interaction, record.interaction_options),
    ]
    for kind, part, options in parts:
        cls = registry.options_class(kind, part)
        known = set() if cls is None else {field.name for field in attrs.fields(cls)}
        assert set(options) <= known
