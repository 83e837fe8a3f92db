"""The steps of whole pages, taken one after another as a reader would, in an empty folder.

Files that a page names are saved, its Python is run, its commands are called. A server of the test's own answers what
the embedded model, or a server at port 8000, would be asked.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from command_line import Genre
from doc_blocks import ROOT, Block, blocks_of, commands_of
from servers import ChatServer, Reply, Request
from test_doc_blocks import FOLLOWED

from genre.parts import canonical_json
from genre.testing.examples import example

ADDRESS: Final = "http://127.0.0.1:8000/v1"


def answered(request: Request) -> Reply:
    """An answer that meets the schema and is like no other, of as many tokens as one of `benchmarks.chat_server`."""
    schema = request.body["response_format"]["json_schema"]["schema"]
    return Reply.answer(canonical_json(example(schema, f"about {request.number}")), tokens=(100, 8))


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted(FOLLOWED))
def test_every_step_of_the_page_works(page: str, genre: Genre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ChatServer(answered) as server:
        user = tmp_path / "no-config" / "genre"
        user.mkdir(parents=True)
        (user / "registry.toml").write_text(
            f'[generators.local]\nplugin = "openai-compatible"\nbase_url = "{server.base_url}"\nmodel = "small"\n'
        )
        for block in blocks_of(ROOT / page):
            text = block.text.replace(ADDRESS, server.base_url)
            if block.name is not None:
                (tmp_path / block.name).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / block.name).write_text(text, encoding="utf-8")
            elif block.language == "python":
                run_python(tmp_path, "-c", text)
            elif block.language == "sh":
                call(block, genre, tmp_path)


def call(block: Block, genre: Genre, folder: Path) -> None:
    wanted = 1 if "# exit code 1" in block.text else 0
    for words in commands_of(block):
        if words[0] == "python":
            run_python(folder, *words[1:])
        else:
            assert words[0] == "genre", words
            outcome = genre(*words[1:])
            assert outcome.code == wanted, (words, outcome.err)


def run_python(folder: Path, *arguments: str) -> None:
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
