"""Jobs by processes of this machine, one each: what a job takes of memory goes back when it ends."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import TYPE_CHECKING, cast

from genre.errors import GenreError, RunError
from genre_executors.sent import SentLayers, error_of, failure_of, failure_of_a_job, sent_layers, settings_from

if TYPE_CHECKING:
    from genre.modeling.executors import Jobs

END_SECONDS = 10.0
"""How long processes that were asked to end may take, before they are made to."""


def run_in_processes(jobs: "Jobs") -> None:
    """See `genre.modeling.executors.JobExecutor`."""
    layers = sent_layers(jobs.registry.settings, ())
    threads = max(1, (os.cpu_count() or 1) // jobs.at_once)
    waiting = list(jobs.arguments)
    running: dict[Connection, SpawnProcess] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs.at_once:
                ours, process = _started(layers, jobs.entry, waiting.pop(0), threads)
                running[ours] = process
            for connection in cast(list[Connection], wait(list(running))):
                if _heard(connection, running[connection], jobs):
                    running.pop(connection).join()
    except BaseException:
        _end(running)
        raise


def _started(layers: SentLayers, entry: str, arguments: str, threads: int) -> tuple[Connection, SpawnProcess]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, layers, entry, arguments, threads), daemon=True)
    with _interrupts_ignored():  # a process inherits that: Ctrl-C is for the one that asks the others to end
        process.start()
    theirs.close()  # so that nothing is left to hear when the process has ended
    return ours, process


def _heard(connection: Connection, process: SpawnProcess, jobs: "Jobs") -> bool:
    """Take one message; whether the job is done.

    Raises:
        GenreError: it has failed.
    """
    try:
        kind, told = connection.recv()
    except (EOFError, ConnectionError):
        process.join(END_SECONDS)
        raise RunError(
            f"a process that ran a job was lost (exit code {process.exitcode})",
            where="executor local",
            remedy="the same call goes on from there; with less memory at hand, lower --jobs",
        ) from None
    if kind == "event":
        jobs.on_event(told)
    elif kind == "failed":
        raise error_of(told)
    return bool(kind == "done")


def _end(running: dict[Connection, SpawnProcess]) -> None:
    """Ask the processes to end; who does not is made to. A second Ctrl-C waits no longer."""
    try:
        for connection in running:
            with suppress(OSError):  # it has ended
                connection.send("end")
        deadline, left = time.monotonic() + END_SECONDS, set(running)
        while left and (seconds := deadline - time.monotonic()) > 0:
            for connection in cast(list[Connection], wait(list(left), seconds)):
                try:
                    connection.recv()  # who has something to tell ends when it is taken
                except (EOFError, OSError):
                    left.discard(connection)
                    running[connection].join(seconds)
    finally:
        for process in running.values():
            process.kill()
            process.join()


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # which alone may say so
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _PipeWatch:
    """See `genre.modeling.executors.Watch`."""

    restarted = False

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ends = threading.Event()
        threading.Thread(target=self._listen, name="genre-job", daemon=True).start()

    def tell(self, event: str) -> None:
        self._connection.send(("event", event))

    def asked_to_end(self) -> bool:
        return self._ends.is_set()

    def _listen(self) -> None:
        try:
            self._connection.recv()
        except (EOFError, OSError):  # nobody is left to tell, and another program may do this job again
            os._exit(1)
        self._ends.set()


def _work(connection: Connection, layers: SentLayers, entry: str, arguments: str, threads: int) -> None:
    """In a process of its own."""
    import torch

    from genre.discovery import load_callable
    from genre.registry import Registry

    torch.set_num_threads(threads)
    try:
        watch = _PipeWatch(connection)
        load_callable(entry)(arguments, Registry.load(settings_from(layers)), watch)
        connection.send(("done", None))
    except GenreError as error:
        connection.send(("failed", failure_of(error)))
    except KeyboardInterrupt:
        connection.close()  # it was asked to end
    except Exception as error:
        connection.send(("failed", failure_of_a_job(error, "executor local")))
        raise
