"""Declaring the generators imports nothing heavy, and every declaration leads to code."""

import subprocess
import sys

import attrs
import pytest

import genre_generators
from genre.parts import Part
from genre.registry import load_import_string

PARTS = list(genre_generators.genre_generators())


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_a_declared_generator_exists_with_its_options(part: Part) -> None:
    assert callable(load_import_string(part.target))
    assert part.options is not None
    cls = load_import_string(part.options)
    assert isinstance(cls, type)
    assert attrs.has(cls)


def test_no_options_class_needs_a_heavy_import() -> None:
    modules = {str(part.options).partition(":")[0] for part in PARTS}
    heavy = ["litellm", "xllamacpp", "torch", "aiohttp", "openai"]
    code = f"import sys, {', '.join(sorted(modules))}\nprint([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
