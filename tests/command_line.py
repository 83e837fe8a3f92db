"""Runs `genre` inside the test's process, or as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from genre.cli.main import main


@attrs.frozen
class Outcome:
    """What a call of `genre` came to."""

    code: int
    out: str
    err: str


Genre = Callable[..., Outcome]


def genre_in(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Genre:
    """`genre(*arguments)` as typed in `folder`, where no registry.toml of any user applies."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "no-config"))
    monkeypatch.setenv("COLUMNS", "200")

    def genre(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["genre", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return genre


def start_genre(folder: Path, *arguments: object) -> "subprocess.Popen[str]":
    """`genre` as a process of its own, which can be killed."""
    environment = {**os.environ, "XDG_CONFIG_HOME": str(folder / "no-config")}
    return subprocess.Popen(
        [sys.executable, "-m", "genre", *map(str, arguments)],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def run_genre(folder: Path, *arguments: object) -> Outcome:
    """`genre` as a process of its own, until its end."""
    with start_genre(folder, *arguments) as process:
        try:
            out, err = process.communicate(timeout=240)
        finally:
            process.kill()
    return Outcome(process.returncode, out, err)
