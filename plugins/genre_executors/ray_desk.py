"""Where the processes of a training and the program that asked for it leave messages for each other."""

import threading
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs

from genre_executors.sent import Failure

if TYPE_CHECKING:
    from ray.actor import ActorHandle

FLUSH_SECONDS = 0.3
"""How often a process brings its messages, and looks whether it shall end."""

State: TypeAlias = Literal["under way", "done", "failed", "interrupted"]


@attrs.frozen
class DeskMessages:
    """What happened since somebody last looked.

    Attributes:
        events: what rank 0 told.
        state: of the training.
        outcome: when it is done.
        failure: when it has failed.
        crash: of a process, with which the training may begin again.
    """

    events: list[str]
    state: State
    outcome: str
    failure: Failure | None
    crash: str


class Desk:
    """An actor on the machine of the program."""

    def __init__(self) -> None:
        self._events: list[str] = []
        self._state: State = "under way"
        self._outcome = self._crash = ""
        self._failure: Failure | None = None
        self._ends = False

    def look(self) -> DeskMessages:
        """For the program."""
        events, self._events = self._events, []
        return DeskMessages(events, self._state, self._outcome, self._failure, self._crash)

    def end(self) -> None:
        """The program wants an end."""
        self._ends = True

    def bring(self, events: list[str]) -> bool:
        """Events of rank 0; whether it shall end."""
        self._events += events
        return self._ends

    def done(self, outcome: str) -> None:
        """Rank 0 is done."""
        self._state, self._outcome = "done", outcome

    def fail(self, failure: Failure) -> None:
        """A process cannot go on, and would not a second time; the first that says so is heard."""
        if self._failure is None:
            self._state, self._failure = "failed", failure

    def interrupted(self) -> None:
        """A process has ended because it was asked to."""
        self._state = "interrupted"

    def crashed(self, what: str) -> None:
        """A process ended without a reason that a user can act on: perhaps since another was lost."""
        self._crash = self._crash or what


class DeskWatch:
    """A process's view of the desk; see `genre.modeling.executors.Watch`. A context manager."""

    def __init__(self, desk: "ActorHandle", *, heard: bool, restarted: bool) -> None:
        self.restarted = restarted
        self._desk = desk
        self._heard = heard
        self._events: list[str] = []
        self._lock = threading.Lock()
        self._ends = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._bring_on, name="genre-desk", daemon=True)

    def __enter__(self) -> "DeskWatch":
        if self._heard:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._heard:
            self._thread.join()

    def tell(self, event: str) -> None:
        """Rank 0 brings it along the next time."""
        if self._heard:
            with self._lock:
                self._events.append(event)

    def asked_to_end(self) -> bool:
        """Whether rank 0 was told so; from it the others know."""
        return self._ends.is_set()

    def _bring_on(self) -> None:
        import ray

        over = False
        while not over:
            over = self._over.wait(FLUSH_SECONDS)
            with self._lock:
                events, self._events = self._events, []
            if ray.get(self._desk.bring.remote(events)):
                self._ends.set()
