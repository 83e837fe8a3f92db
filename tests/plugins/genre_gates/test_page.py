"""docs/reference/gates.md tells every gate with its options and defaults, and what it shows can be switched on."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import attrs
import pytest

from genre.generation import RoundSpec, prepare_round
from genre.registry import Registry
from genre.settings import Layer

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "gates.md").read_text(encoding="utf-8")
REGISTRY = Registry.load()
GATES = [entry.part.name for entry in REGISTRY.parts("gate") if entry.distribution == "genre-rec"]


def section(name: str) -> str:
    return PAGE.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("name", GATES)
def test_every_gate_has_a_section_with_its_options_and_defaults(name: str) -> None:
    told: dict[str, str] = {}
    for options, defaults in re.findall(r"^\| (`.*?) \| (.*?) \|", section(name), flags=re.MULTILINE):
        told |= zip(options.replace("`", "").split(", "), re.split(r", (?![^\[]*\])", defaults), strict=True)
    options = REGISTRY.structure_options("gate", name, {})
    assert options is not None
    expected: dict[str, Any] = attrs.asdict(options)
    assert told == {key: "none" if value is None else f"`{json.dumps(value)}`" for key, value in expected.items()}


def test_the_gates_that_the_page_switches_on_can_be() -> None:
    registry_toml, experiment = map(tomllib.loads, re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL))
    registry = Registry.load(REGISTRY.settings.over(Layer("page", registry_toml)))
    assert list(prepare_round(registry, RoundSpec("news-generator")).gates) == ["length", "vocabulary", "near-distinct"]
    [spec] = experiment["variants"][0]["rounds"]
    assert list(prepare_round(REGISTRY, RoundSpec(**spec)).gates) == ["language", "near-distinct"]
