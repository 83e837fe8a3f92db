"""Ctrl-C at a terminal, while a server keeps 64 calls waiting: the end comes at once, and nothing answered is lost."""

import os
import pty
import re
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

import attrs
import pytest
from at_scale.projects import ENRICH, headline, litellm, openai_compatible, project, title_for
from command_line import start_genre
from servers import ChatServer, Reply, Request
from stored_answers import answers_by_state

from genre.generation import AnswerStore

IN_FLIGHT: Final = 64
ANSWERED: Final = 300
SERVER_HANGS: Final = 600.0
"""Seconds: nobody who waits for the server ends within `SOON`."""
SOON: Final = 20.0
"""Seconds; a time-out and no claim. What the end took is printed."""


class Hanging:
    """Answers some requests; all that come later wait, and `full` tells when as many wait as may."""

    def __init__(self) -> None:
        self.full = threading.Event()

    def __call__(self, request: Request) -> Reply:
        if request.number < ANSWERED:
            return Reply.answer(title_for(headline(request.body["messages"])))
        if request.number == ANSWERED + IN_FLIGHT - 1:
            self.full.set()
        return Reply(manner="hang")


@attrs.frozen
class Terminal:
    """A process of its own session, at a terminal of its own."""

    process: "subprocess.Popen[bytes]"
    keyboard: int
    screen: bytearray

    def type(self, keys: bytes) -> None:
        """As if somebody typed."""
        os.write(self.keyboard, keys)

    @property
    def text(self) -> str:
        """What the screen got last, without its control sequences."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.screen.decode(errors="replace"))[-8_000:]


@contextmanager
def at_terminal(folder: Path, *arguments: object) -> Iterator[Terminal]:
    """`genre` at a pseudo-terminal, which turns the key Ctrl-C into a signal as any terminal does."""
    keyboard, screen = pty.openpty()
    termios.tcsetwinsize(screen, (40, 200))
    process = subprocess.Popen(
        [sys.executable, "-c", _AT_TERMINAL, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "XDG_CONFIG_HOME": str(folder / "no-config"), "TERM": "xterm"},
        stdin=screen,
        stdout=screen,
        stderr=screen,
        start_new_session=True,
    )
    os.close(screen)
    terminal = Terminal(process, keyboard, bytearray())
    reader = threading.Thread(target=_read, args=(terminal,))
    reader.start()
    try:
        yield terminal
    finally:
        process.kill()
        process.wait(60)
        reader.join(60)
        os.close(keyboard)


_AT_TERMINAL: Final = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from genre.cli.main import main
main()
"""


def _read(terminal: Terminal) -> None:
    with suppress(OSError):  # how Linux tells that nobody has the terminal open any more
        while some := os.read(terminal.keyboard, 65536):
            terminal.screen.extend(some)


LIMITS: Final = {"concurrency": IN_FLIGHT, "slow_down_at": 1e6}
GENERATORS: Final = {
    "openai-compatible": lambda server: openai_compatible(server.base_url, timeout=SERVER_HANGS, **LIMITS),
    "litellm": lambda server: litellm(server.base_url, timeout=SERVER_HANGS, **LIMITS),
}


@pytest.mark.slow
@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_at_a_terminal_ends_the_process_and_loses_no_answer(
    tmp_path: Path, generator: str, presses: int
) -> None:
    script = Hanging()
    with ChatServer(script) as server:
        project(tmp_path, {"server": GENERATORS[generator](server)}, news=1_000)
        with at_terminal(tmp_path, *ENRICH) as terminal:
            assert script.full.wait(120), terminal.text
            begun = time.perf_counter()
            for _ in range(presses):
                terminal.type(b"\x03")
            code = terminal.process.wait(SOON)
            print(f"{generator}, {presses} x Ctrl-C: {time.perf_counter() - begun:.2f} s")
    assert code == 130, terminal.text
    assert terminal.text.strip().endswith("interrupted: finished work is kept; run the same command again to go on")
    assert "Traceback" not in terminal.text
    assert stored(tmp_path) == ANSWERED


@pytest.mark.slow
def test_sigint_to_a_process_without_a_terminal_ends_it_as_well(tmp_path: Path) -> None:
    script = Hanging()
    with ChatServer(script) as server:
        project(tmp_path, {"server": GENERATORS["openai-compatible"](server)}, news=1_000)
        with start_genre(tmp_path, *ENRICH) as process:
            try:
                assert script.full.wait(60)
                begun = time.perf_counter()
                process.send_signal(signal.SIGINT)
                _, err = process.communicate(timeout=SOON)
                print(f"SIGINT: {time.perf_counter() - begun:.2f} s")
            finally:
                process.kill()
    assert process.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
    assert stored(tmp_path) == ANSWERED


def stored(folder: Path) -> int:
    """Answers on disk."""
    with closing(AnswerStore(folder / ".genre" / "answers.sqlite")) as store:
        return answers_by_state(store).get("ok", 0)
