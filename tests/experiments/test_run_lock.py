"""One run at a time in a run folder."""

import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Genre
from small_experiment import SMALL_SAMPLE

from genre.errors import UsageError
from genre.experiments.run_lock import run_lock

HOLDER = """
import sys
from pathlib import Path
from genre.experiments.run_lock import run_lock

with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def untrained(folder: Path) -> Path:
    path = folder / "tiny.toml"
    head = 'name = "tiny"\nbaselines = []\nuntrained = ["popularity"]\nreport = ["test"]\n'
    path.write_text(f'{head}{SMALL_SAMPLE}[[variants]]\nname = "original"\n')
    return path


def test_a_second_run_into_a_folder_names_it_and_ends(genre: Genre, tmp_path: Path) -> None:
    with run_lock(tmp_path / "run"):
        outcome = genre("run", untrained(tmp_path), "--out", tmp_path / "run")
    assert outcome.code == 2
    assert "another run writes into this folder" in outcome.err
    assert "--out" in outcome.err
    assert not (tmp_path / "run" / "results.json").exists()


def test_a_run_goes_on_where_an_earlier_one_ended(genre: Genre, tmp_path: Path) -> None:
    with run_lock(tmp_path / "run"):
        pass
    assert genre("run", untrained(tmp_path), "--out", tmp_path / "run").code == 0


def test_a_killed_run_keeps_nobody_out(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "run")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UsageError, match="another run writes"), run_lock(tmp_path / "run"):
            pass
        holder.kill()
        holder.wait()
    with run_lock(tmp_path / "run"):
        pass


def test_a_second_enrichment_into_a_folder_names_it_and_ends(
    genre: Genre, fake_plugin: Path, small_folder: Path
) -> None:
    call = ("enrich", small_folder, "--task", "news-summarizer", "--out", "rich")
    with run_lock(fake_plugin / "rich-rounds"):
        outcome = genre(*call)
        assert outcome.code == 2
        assert "rich-rounds: another run writes into this folder" in outcome.err
        assert not list((fake_plugin / "rich").iterdir())
    assert genre(*call).code == 0


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="the folder cannot be made"), run_lock(tmp_path / "file" / "run"):
        pytest.fail("nothing can be made there")
