"""A plugin file holds one idea, and is read in one sitting."""

from pathlib import Path
from typing import Final

import pytest

PLUGINS: Final = Path(__file__).parents[2] / "plugins"
MOST_LINES: Final = 150


@pytest.mark.parametrize("file", sorted(PLUGINS.rglob("*.py")), ids=lambda file: file.relative_to(PLUGINS).as_posix())
def test_a_plugin_file_is_short(file: Path) -> None:
    lines = len(file.read_text(encoding="utf-8").splitlines())
    assert lines <= MOST_LINES, f"{lines} lines: move one of its ideas to a module of its own"
