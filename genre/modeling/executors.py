"""Executors that train, or run several trainings at once. Those that answer prompts may do so, too."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import attrs

from genre.registry import Registry


@attrs.frozen(eq=False)
class TrainingWork:
    """A training for an executor.

    Attributes:
        registry: plugins and settings, from which other processes make the same parts.
        entry: import string of what each process calls: `entry(arguments, registry, processes, watch) -> str`, with the
            `Processes` that it is one of and a `Watch`. What rank 0 returns is the outcome.
        arguments: for the entry; plain text.
        on_event: told what rank 0 tells, in order.
        scratch: name for a folder of the executor's own, which all machines can write; it is not left behind.
    """

    registry: Registry
    entry: str
    arguments: str
    on_event: Callable[[str], None]
    scratch: Path


class Watch(Protocol):
    """The thread between a process that trains and the program that asked for it.

    Attributes:
        restarted: whether the same work was begun before, and a process of it was lost.
    """

    restarted: bool

    def tell(self, event: str) -> None:
        """Tell the program; of rank 0 alone it hears. Quick."""

    def asked_to_end(self) -> bool:
        """Whether the program wants an end, as by Ctrl-C. Quick."""


@runtime_checkable
class TrainingExecutor(Protocol):
    """An executor that trains. Its parts are made as those of `genre.generation.Executor` are."""

    def train(self, work: TrainingWork) -> str:
        """What rank 0 returns.

        Raises:
            GenreError: what a process raises, or processes were lost again and again.
            KeyboardInterrupt: the training was interrupted; processes were asked to end, and have.
        """


@attrs.frozen(eq=False)
class Jobs:
    """Jobs that do not need each other, for an executor.

    Attributes:
        registry: plugins and settings, from which other processes make the same parts.
        entry: import string of what does a job: `entry(arguments, registry, watch) -> None`, with a `Watch`.
        arguments: of each job; plain text.
        at_once: how many are under way, at most.
        on_event: told what jobs tell, each in its order.
    """

    registry: Registry
    entry: str
    arguments: Sequence[str]
    at_once: int
    on_event: Callable[[str], None]


@runtime_checkable
class JobExecutor(Protocol):
    """An executor that runs jobs, each in a process of its own."""

    def run_jobs(self, jobs: Jobs) -> None:
        """Return when all of them are done.

        Raises:
            GenreError: what a job raises, or its process was lost. The others were asked to end, and have.
            KeyboardInterrupt: jobs were asked to end, and have.
        """
