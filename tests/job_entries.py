"""What tests have other processes do; see `genre.modeling.executors.Jobs`."""

import json
import os
import time
from pathlib import Path

from genre.errors import UsageError
from genre.modeling.executors import Watch
from genre.registry import Registry

LONG = 600.0
"""Seconds: a job that is not ended by then shows that it was not."""


def tell_and_end(arguments: str, registry: Registry, watch: Watch) -> None:
    """Tell what was asked, and of the registry."""
    watch.tell(json.dumps([arguments, len(registry.parts("baseline"))]))


def fail(arguments: str, registry: Registry, watch: Watch) -> None:
    """A mistake of a user's."""
    raise UsageError(f"{arguments} is wrong", where="here", remedy="mend it")


def lose_itself(arguments: str, registry: Registry, watch: Watch) -> None:
    """As the system's memory killer does it."""
    os.kill(os.getpid(), 9)


def lose_itself_once(arguments: str, registry: Registry, watch: Watch) -> None:
    """Gone at the first try."""
    if not watch.restarted:
        os.kill(os.getpid(), 9)
    watch.tell(arguments)


def wait_for_the_end(arguments: str, registry: Registry, watch: Watch) -> None:
    """Tell the own process, and leave a file when an end is asked for."""
    watch.tell(str(os.getpid()))
    begun = time.monotonic()
    while not watch.asked_to_end():
        if time.monotonic() - begun > LONG:
            raise TimeoutError
        time.sleep(0.01)
    Path(arguments).write_text("ended")
    raise KeyboardInterrupt


def tell_much(arguments: str, registry: Registry, watch: Watch) -> None:
    """Tell more than fits in between, and leave a file when an end is asked for."""
    for number in range(20_000):
        watch.tell(str(number))
    wait_for_the_end(arguments, registry, watch)


def break_down(arguments: str, registry: Registry, watch: Watch) -> None:
    """A mistake of the program's."""
    watch.tell(arguments)
    raise LookupError(f"nothing of {arguments}")
