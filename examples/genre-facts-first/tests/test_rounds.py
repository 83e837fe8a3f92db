"""Two rounds, one after another, as `genre enrich --task key-facts --task facts-first` runs them."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from genre import load_dataset, save_dataset
from genre.cli.main import genre
from genre.testing.planted import planted_dataset

PLUGIN = """
import json
from genre import hookimpl
from genre.parts import Completion, Identity, Part

class Echo:
    identity = Identity(model="echo", endpoint="here")

    async def complete(self, prompt):
        [name] = prompt.schema["properties"]
        last = prompt.messages[-1].content.splitlines()[-1].partition(": ")[2]
        return Completion(json.dumps({name: f"{name} of {last}"[:100]}), model="echo")

@hookimpl
def genre_generators():
    yield Part(name="echo", summary="Echoes", target="genre_local_echo:make")

def make(options):
    return Echo()
"""


def test_the_second_round_reads_what_the_first_one_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "echo.py").write_text(PLUGIN)
    (tmp_path / "registry.toml").write_text('[plugins]\nfolders = ["mine"]\n[defaults]\ngenerator = "echo"\n')
    dataset = planted_dataset()
    save_dataset(dataset, tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    rounds = ["--task", "key-facts", "--task", "facts-first"]
    done = CliRunner().invoke(genre, ["enrich", "data", *rounds, "--limit", "2", "--out", "rich"])
    assert done.exit_code == 0, done.output
    article = dataset.text("abstract")[0] or "(no text)"
    assert load_dataset(tmp_path / "rich").text("title")[0] == f"title of facts of {article}"[:100]
