"""Which gates a round has, with which options, and what is told before anything is asked."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from genre.errors import UsageError
from genre.generation import RoundSpec, prepare_round
from genre.generation.rounds import _as_json
from genre.registry import Registry
from genre.settings import Layer, load_settings

GATED_TASK = """
from genre import hookimpl
from genre.parts import Task


@hookimpl
def genre_tasks():
    yield Task(
        name="gated",
        summary="A task with gates of its own",
        prompter="news-text",
        updater="text-version",
        defaults={"template": "{{TEMPLATE}}"},
        gates={"length": {"min_words": 1, "max_words": 9}, "distinct": {}},
    )
"""


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """A registry with the task `gated`."""
    template = tmp_path / "gated.jinja"
    template.write_text("{% block user %}{{ title }}{% endblock %}")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "gated.py").write_text(GATED_TASK.replace("{{TEMPLATE}}", str(template)))
    (tmp_path / "registry.toml").write_text('[plugins]\nfolders = ["mine"]\n')
    return Registry.load(load_settings(tmp_path), strict=True)


def gates_of(registry: Registry, gates: object, task: str = "gated") -> object:
    prepared = prepare_round(registry, RoundSpec(task, options={"gates": gates}))
    options = prepared.options["gates"]
    assert isinstance(options, Mapping)
    assert list(prepared.gates) == list(options)
    return options


def test_options_of_a_gate_are_laid_over_the_task_s_own(registry: Registry) -> None:
    assert gates_of(registry, {}) == {"length": {"min_words": 1, "max_words": 9}, "distinct": {}}
    changed = gates_of(registry, {"length": {"max_words": 20}, "vocabulary": {"property": "title"}})
    assert changed == {
        "length": {"min_words": 1, "max_words": 20},
        "distinct": {},
        "vocabulary": {"property": "title"},
    }


def test_a_gate_is_switched_off_and_a_round_can_switch_it_on_again(registry: Registry) -> None:
    assert gates_of(registry, {"length": False}) == {"distinct": {}}
    settings = registry.settings.over(Layer("test", {"tasks": {"gated": {"gates": {"length": False}}}}))
    without = registry.with_settings(settings)
    assert gates_of(without, {}) == {"distinct": {}}
    assert gates_of(without, {"length": {"max_words": 3}}) == {"length": {"max_words": 3}, "distinct": {}}


@pytest.mark.parametrize(
    ("task", "gates", "message"),
    [
        ("gated", {"distnct": False}, "no gate 'distnct'"),
        ("gated", {"distinct": True}, "a table of tables is expected"),
        ("gated", {"distinct": {"property": "titel"}}, "gates.distinct.property: the answers have no property 'titel'"),
        ("gated", {"history-similarity": {"properties": ["title", "abstrct"]}}, "no property 'abstrct'"),
        ("user-profiler", {"distinct": {}}, "no property 'title'"),
        ("user-profiler", {"history-similarity": {}}, "no property 'title'"),
    ],
)
def test_a_gate_that_could_judge_nothing_is_told_before_anything_is_asked(
    registry: Registry, task: str, gates: object, message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        gates_of(registry, gates, task)
    assert message in str(caught.value)


def test_of_several_properties_by_default_those_that_an_answer_lacks_are_left_out(registry: Registry) -> None:
    assert gates_of(registry, {"history-similarity": {}, "length": False, "distinct": False}) == {
        "history-similarity": {}
    }


def test_lineage_keeps_no_folder_however_deep() -> None:
    given = {"length": {"list": "/home/someone/words.txt", "more": ["/tmp/a", {"b": "/tmp/c"}]}, "draws": 2}
    kept = {"length": {"list": "words.txt", "more": ["a", {"b": "c"}]}, "draws": 2}
    assert _as_json(given) == kept
