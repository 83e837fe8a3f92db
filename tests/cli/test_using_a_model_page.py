"""What docs/how-to/using-a-model.md shows is run, and what it and docs/how-to/browser.md name exists."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from command_line import Genre

from genre.cli.data import data as data_commands
from genre.cli.main import genre as command_line

DOCS = Path(__file__).parents[2] / "docs" / "how-to"
PAGE = (DOCS / "using-a-model.md").read_text(encoding="utf-8")


def test_every_command_line_of_the_page_runs_and_so_does_its_python(genre: Genre, tmp_path: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert len(lines) == 8
    for line in lines:
        outcome = genre(*shlex.split(line)[1:])
        assert outcome.code == 0, outcome.err
    assert genre("recommend", "models/nrms", "data/sample", "--user", "U12").out == outcome.out
    [code] = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["1", "2", "3"]


@pytest.mark.parametrize(("page", "names"), [("using-a-model", ("recommend", "export")), ("browser", ("show",))])
def test_the_pages_name_every_option(page: str, names: tuple[str, ...]) -> None:
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    for name in names:
        group = data_commands if name == "show" else command_line
        command = group.get_command(click.Context(group), name)
        assert command is not None
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert any(option in text for option in parameter.opts + parameter.secondary_opts), parameter.opts
