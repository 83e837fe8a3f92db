"""What the plugin declares: light records whose names and options exist."""

import subprocess
import sys

import attrs
import pytest

from genre.parts import Kind
from genre.registry import Registry

BASELINES = ["naml", "lstur", "nrms", "plmnr", "bst", "dcn", "pnn", "din"]


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.load(strict=True)


def test_the_declarations_need_no_torch() -> None:
    code = (
        "import sys, genre_baselines as plugin\n"
        "records = [*plugin.genre_baselines(), *plugin.genre_encoders(), *plugin.genre_interactions()]\n"
        "assert records and not {'torch', 'numpy', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_settings_of_the_modeling_half_need_no_torch() -> None:
    code = "import sys; from genre.modeling import TrainingSettings; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_plugin_offers_the_eight_baselines_of_the_paper(registry: Registry) -> None:
    offered = [entry.part.name for entry in registry.parts("baseline") if entry.distribution == "genre-rec"]
    assert sorted(offered) == sorted(BASELINES)


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_names_registered_parts_and_options_that_they_have(registry: Registry, name: str) -> None:
    record = registry.baseline(name)
    parts: list[tuple[Kind, str, dict[str, object]]] = [
        *(
            ("field-encoder", encoder, dict(record.field_options.get(encoder, {})))
            for encoder in record.field_encoders.values()
        ),
        ("news-encoder", record.news_encoder, dict(record.news_options)),
        ("user-encoder", record.user_encoder, dict(record.user_options)),
        ("interaction", record.interaction, dict(record.interaction_options)),
    ]
    assert set(record.field_options) <= set(record.field_encoders.values())
    for kind, part, options in parts:
        structured = registry.structure_options(kind, part, options)
        said = {} if structured is None else {key: getattr(structured, key) for key in options}
        assert said == options
        assert callable(registry.target(kind, part))


@pytest.mark.parametrize("name", BASELINES)
def test_matching_models_are_trained_with_cross_entropy_and_ranking_models_with_binary(
    registry: Registry, name: str
) -> None:
    matching = name in BASELINES[:4]
    assert registry.baseline(name).loss == ("cross-entropy" if matching else "binary")
    assert registry.baseline(name).dim == 64


def test_every_option_is_told_of_in_its_class(registry: Registry) -> None:
    for kind in ("field-encoder", "news-encoder", "user-encoder", "interaction"):
        for entry in registry.parts(kind):
            cls = registry.options_class(entry.kind, entry.part.name)
            for field in () if cls is None else attrs.fields(cls):
                assert f"{field.name}:" in str(cls.__doc__)
