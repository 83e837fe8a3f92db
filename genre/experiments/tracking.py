"""Trackers of a run: found by name, told of what an observer hears, and told how the run ended."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast

from genre.errors import GenreError, RunError
from genre.experiments.observer import Observer, Relay
from genre.generation import RoundReport
from genre.generation.costs import Cost
from genre.generation.instances import Instance, instance
from genre.options import without_password
from genre.parts import (
    CellFinished,
    EpochFinished,
    RoundFinished,
    RunEvent,
    RunFinished,
    RunPlan,
    RunStopped,
    TrackedRun,
    Tracker,
)
from genre.registry import Registry


def find_trackers(registry: Registry, names: Sequence[str], *, where: str | None = None) -> dict[str, Instance]:
    """What `[trackers.NAME]` describes, or plugins of these names with their default options; each name once.

    Args:
        where: who names them, for messages.

    Raises:
        UsageError: there is no such tracker, or an option of it is wrong.
    """
    found = {name: instance(registry, "tracker", name, named_at=where) for name in names}
    for each in found.values():
        registry.structure_options("tracker", each.plugin, each.options, where=each.where)
    return found


def make_trackers(registry: Registry, found: Mapping[str, Instance], run: TrackedRun) -> dict[str, Tracker]:
    """The trackers that `find_trackers` found, for one run. Nothing is written yet.

    Raises:
        UsageError: one cannot be made, such as for a package that is not installed.
        RunError: one failed; names it.
    """
    return {name: _make(registry, name, each, run) for name, each in found.items()}


@contextmanager
def tracked(trackers: Mapping[str, Tracker], plan: RunPlan, observer: Observer) -> Iterator[Observer]:
    """An observer that tells trackers, and another observer, of everything. They are told, too, how the block ended.

    Raises:
        RunError: a tracker failed; names it.
    """
    tracking = Tracking(trackers, observer)
    try:
        tracking.tell(plan)
        yield tracking
    except KeyboardInterrupt:
        tracking.stop(RunStopped("interrupted", "interrupted"))
        raise
    except BaseException as error:
        tracking.stop(RunStopped("failed", str(error) or type(error).__name__))
        raise


class Tracking(Relay):
    """Tells trackers of rounds, epochs, cells and the end, and another observer of everything."""

    def __init__(self, trackers: Mapping[str, Tracker], observer: Observer) -> None:
        super().__init__(observer)
        self._trackers = dict(trackers)
        self._begun: set[str] = set()

    def on_enriched(self, variant: str, reports: Sequence[RoundReport]) -> None:
        """As it is, and each round to the trackers."""
        super().on_enriched(variant, reports)
        for report in reports:
            self.tell(_round_finished(variant, report))

    def on_epoch(self, cell: str, event: EpochFinished) -> None:
        """As it is, and to the trackers."""
        super().on_epoch(cell, event)
        self.tell(event)

    def on_cell(self, cell: str, event: CellFinished) -> None:
        """As it is, and to the trackers."""
        super().on_cell(cell, event)
        self.tell(event)

    def on_finished(self, event: RunFinished) -> None:
        """As it is, and to the trackers, each of which is told nothing after it."""
        super().on_finished(event)
        for name in list(self._trackers):
            _tell(name, self._trackers[name], event)
            del self._trackers[name]

    def tell(self, event: RunEvent) -> None:
        """Tell every tracker.

        Raises:
            RunError: one failed; names it.
        """
        for name, tracker in self._trackers.items():
            self._begun.add(name)
            _tell(name, tracker, event)

    def stop(self, event: RunStopped) -> None:
        """Tell every tracker that was told of a beginning and of no end.

        What fails now is only told: the run has failed already.
        """
        for name in (each for each in self._trackers if each in self._begun):
            try:
                _tell(name, self._trackers[name], event)
            except GenreError as error:
                self.on_message(f"warning: {error.message}")
        self._trackers.clear()


def _make(registry: Registry, name: str, described: Instance, run: TrackedRun) -> Tracker:
    try:
        made = registry.create("tracker", described.plugin, described.options, where=described.where, run=run)
    except GenreError:
        raise
    except Exception as error:
        raise _failed(name, error) from error
    return cast(Tracker, made)


def _tell(name: str, tracker: Tracker, event: RunEvent) -> None:
    try:
        tracker.track(event)
    except GenreError:
        raise
    except Exception as error:
        raise _failed(name, error) from error


def _failed(name: str, error: Exception) -> RunError:
    return RunError(
        # A library may repeat the address of its server.
        f"the tracker {name!r} failed: {type(error).__name__}: {without_password(str(error))}",
        remedy="mend what it says, or run without it: finished work is kept",
    )


def _round_finished(variant: str, report: RoundReport) -> RoundFinished:
    return RoundFinished(
        variant=variant,
        round=report.name,
        task=report.task,
        generator=report.generator,
        prompts=report.prompts,
        records=report.records,
        quarantined=sum(report.quarantined.values()),
        reused=report.reused,
        calls=report.calls,
        prompt_tokens=report.prompt_tokens,
        completion_tokens=report.completion_tokens,
        cost=_known(report.cost),
        reused_cost=_known(report.reused_cost),
    )


def _known(cost: Cost) -> float | None:
    """A sum of which every amount is known."""
    return None if cost.unknown else cost.usd
