"""Ctrl-C and a polite kill during a training: a step that has begun is ended before the training is."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Whether somebody asked for an end."""

    def __init__(self, also: Callable[[], bool] | None) -> None:
        self._noted = False
        self._at_once = False
        self._also = also

    @property
    def requested(self) -> bool:
        """Whether it is to be ended where it can be."""
        return self._noted or (self._also is not None and self._also())

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
        again, self._noted = self._noted, True
        if again or self._at_once:
            raise KeyboardInterrupt


@contextmanager
def noted_interrupts(*, wanted: bool, also: Callable[[], bool] | None = None) -> Iterator[Interrupts]:
    """SIGINT and SIGTERM are noted while the block runs; a second one raises KeyboardInterrupt wherever it comes.

    Args:
        wanted: without it, and outside the main thread, which alone hears of signals, they do what they always do.
        also: says of itself whether an end is asked for.
    """
    interrupts = Interrupts(also)
    if not wanted or threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    before = {number: signal.signal(number, interrupts._note) for number in _SIGNALS}
    try:
        yield interrupts
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
