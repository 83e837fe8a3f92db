"""What docs/how-to/scale.md says of options, settings and figures is so."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import attrs

from genre.registry import Registry
from genre.settings import Layer, Settings, load_settings
from genre_executors.ray_options import RayOptions

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "how-to" / "scale.md").read_text(encoding="utf-8")


def test_every_option_of_the_executor_is_told_with_its_default() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| .*\| (.+) \|$", TEXT, flags=re.MULTILINE))
    assert set(told) == {field.name for field in attrs.fields(RayOptions)}
    for field in attrs.fields(RayOptions):
        if field.default is not None:
            assert told[field.name] == f"`{field.default}`"


def test_the_settings_shown_are_settings() -> None:
    [shown] = re.findall(r"```toml\n(.*?)```", TEXT, flags=re.DOTALL)
    layer = Layer("docs", tomllib.loads(re.sub(r"^ {3}", "", shown, flags=re.MULTILINE)))
    registry = Registry.load(Settings((*load_settings(ROOT).layers, layer)))
    options = registry.structure_options("executor", "ray", registry.settings.table("executors", "ray"))
    assert options == RayOptions(address="auto", workers=8)


def test_the_plan_is_what_the_script_prints() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scale_plan"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert f"```text\n{done.stdout}```" in TEXT
