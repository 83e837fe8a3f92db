"""Ctrl-C and a polite kill during a training: a step that has begun is ended before the training is."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Whether somebody asked for an end."""

    def __init__(self) -> None:
        self.requested = False
        self._at_once = False

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Within the block an interrupt raises: for work that may be left anywhere.

        Raises:
            KeyboardInterrupt: there is or was one.
        """
        self._at_once = True
        try:
            if self.requested:
                raise KeyboardInterrupt
            yield
        finally:
            self._at_once = False

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        again, self.requested = self.requested, True
        if again or self._at_once:
            raise KeyboardInterrupt


@contextmanager
def noted_interrupts(*, wanted: bool) -> Iterator[Interrupts]:
    """SIGINT and SIGTERM are noted while the block runs; a second one raises KeyboardInterrupt wherever it comes.

    Args:
        wanted: without it, and outside the main thread, which alone hears of signals, they do what they always do.
    """
    interrupts = Interrupts()
    if not wanted or threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    before = {number: signal.signal(number, interrupts._note) for number in _SIGNALS}
    try:
        yield interrupts
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
