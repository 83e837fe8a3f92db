"""A time limit that many calls share: one timer for all, where one for each would cost a twentieth of a call."""

import asyncio
from collections.abc import Callable, Hashable
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)
Result = TypeVar("Result")


class Watch(Generic[T]):
    """Tells of each call that is still watched after so many seconds.

    All limits are equal, so the calls run out in the order in which they began, and the timer waits for the oldest.
    It is made where the event loop runs, and serves that loop only.

    Args:
        seconds: how long a call may take.
        late: told of a call that takes longer, perhaps again until it is watched no more.
    """

    def __init__(self, seconds: float, late: Callable[[T], None]) -> None:
        self._seconds = seconds
        self._late = late
        self._loop = asyncio.get_running_loop()
        self._ends: dict[T, float] = {}  # the oldest first
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, call: T) -> None:
        """Watch a call."""
        end = self._ends[call] = self._loop.time() + self._seconds
        if self._timer is None:
            self._timer = self._loop.call_at(end, self._tell_of_late_ones)

    def end(self, call: T) -> None:
        """Watch it no more. The timer goes on: it finds the call that is the oldest then."""
        del self._ends[call]

    def _tell_of_late_ones(self) -> None:
        self._timer = None
        now = self._loop.time()
        for call, end in self._ends.items():
            if end > now:
                self._timer = self._loop.call_at(end, self._tell_of_late_ones)
                return
            self._late(call)


def time_out(call: "asyncio.Future[Result]") -> None:
    """End a call that is waited for as a future, with TimeoutError."""
    if not call.done():
        call.set_exception(TimeoutError())


class Deadline:
    """Each block `with deadline.call():` may take so many seconds; then it is cancelled, and raises TimeoutError.

    Args:
        seconds: how long a call may take.
    """

    def __init__(self, seconds: float) -> None:
        self._watch: Watch[_Call] = Watch(seconds, _Call.cancel)

    def call(self) -> "_Call":
        """A call that begins when the block does."""
        return _Call(self._watch)


class _Call:
    """One call under the limit; as `asyncio.timeout` does, it tells its own cancellation from others'."""

    def __init__(self, watch: "Watch[_Call]") -> None:
        self._watch = watch
        self._ran_out = False

    def cancel(self) -> None:
        """End it, once."""
        if not self._ran_out:
            self._ran_out = True
            self._task.cancel()

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task, self._cancelling = task, task.cancelling()
        self._watch.begin(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._watch.end(self)
        if self._ran_out and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
