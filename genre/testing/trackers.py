"""Laws of trackers: a run is told in any order that can happen, again and again, and nothing of it is changed."""

import copy
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

import attrs

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
from genre.testing.check import Check, checks_of, require, shown
from genre.testing.subject import Subject, require_misspelling_is_told

_METRICS: Final = ("auc", "mrr", "ndcg@5", "ndcg@10")
_EPOCHS: Final = 3


def tracker_checks(subject: Subject) -> list[Check]:
    """The suite of a tracker. Takes no inputs."""
    return checks_of(_Laws(subject))


@attrs.frozen
class _LaterEvent:
    """What a later release may tell."""

    text: str = "something else"


@attrs.frozen(eq=False)
class _Laws:
    subject: Subject

    def nothing_is_written_before_the_first_event(self) -> None:
        with _run() as run:
            self._make(run)
            require(
                not run.folder.exists(),
                "a tracker writes nothing before the first event: another one may not be there, and the run not begin",
                found=f"the run folder was made, with {shown(sorted(each.name for each in run.folder.rglob('*')))}",
                remedy="open files and connections when the `RunPlan` is told",
            )

    def a_whole_run_is_tracked(self) -> None:
        with _run() as run:
            self._tell(run, example_run(run))

    def cells_may_run_side_by_side(self) -> None:
        plan, *_ = example_run(_ANYWHERE)
        one, other = _training("original", 0), _training("original", 1)
        events = [each for pair in zip(one, other, strict=True) for each in pair]
        with _run() as run:
            self._tell(run, [plan, *events, _end(run, [*one, *other])])

    def a_run_may_fail_or_be_interrupted_at_any_event(self) -> None:
        stops = (RunStopped("failed", "no more money"), RunStopped("interrupted", "interrupted"))
        with _run() as run:
            events = example_run(run)
            for number in range(1, len(events)):
                self._tell(run, [*events[:number], stops[number % 2]])

    def a_run_that_stopped_goes_on(self) -> None:
        training = _training("original", 0)
        with _run() as run:
            plan = example_run(run)[0]
            stopped = RunStopped("interrupted", "interrupted")
            self._tell(run, [plan, *training[:2], stopped])
            self._tell(run, [plan, *training[1:], _end(run, training)])  # the checkpoint was older than the last epoch

    def a_training_that_was_begun_elsewhere_goes_on(self) -> None:
        training = _training("original", 0)
        with _run() as run:
            self._tell(run, [example_run(run)[0], *training[2:], _end(run, training)])

    def finished_cells_are_told_again(self) -> None:
        with _run() as run:
            events = example_run(run)
            self._tell(run, events)
            kept = [each for each in events if not isinstance(each, EpochFinished)]
            again = [attrs.evolve(each, reused=True) if isinstance(each, CellFinished) else each for each in kept]
            for _ in range(2):
                self._tell(run, again)

    def an_event_of_a_later_release_is_ignored(self) -> None:
        with _run() as run:
            first, *rest = example_run(run)
            self._tell(run, [first, cast(RunEvent, _LaterEvent()), *rest])

    def events_stay_as_they_are(self) -> None:
        with _run() as run:
            events = example_run(run)
            before = copy.deepcopy(events)
            self._tell(run, events)
            changed = [shown(now) for was, now in zip(before, events, strict=True) if was != now]
        require(
            not changed,
            "a tracker leaves what it is told as it is: others are told the same",
            found="; ".join(changed),
            remedy="copy rows and metrics before they are changed",
        )

    def a_misspelt_option_is_told(self) -> None:
        require_misspelling_is_told(
            self.subject.option_names, lambda further: self.subject.make(further, run=_ANYWHERE)
        )

    def _make(self, run: TrackedRun) -> Tracker:
        return cast(Tracker, self.subject.make(run=run))

    def _tell(self, run: TrackedRun, events: Sequence[RunEvent]) -> None:
        """Tell a new tracker, as one call of a run does."""
        tracker = self._make(run)
        for event in events:
            tracker.track(event)


_ANYWHERE: Final = TrackedRun("conformance-example", Path("conformance-example"))


def example_run(run: TrackedRun) -> list[RunEvent]:
    """A whole run: two variants, one of them with a round; two trainings and an untrained baseline on each."""
    told: list[RunEvent] = [_round()]
    for variant in ("original", "enriched"):
        told.append(CellFinished(variant, "popularity", None, _rows(variant, "popularity", None)))
        told.extend(each for seed in (0, 1) for each in _training(variant, seed))
    plan = RunPlan(
        name=run.name,
        rounds=[("enriched", "news-summarizer", "example")],
        baselines=["nrms"],
        seeds=[0, 1],
        experiment={
            "name": run.name,
            "training": {"epochs": _EPOCHS, "stop_split": None},
            "overrides": {"nrms": {"training": {"learning_rate": 0.001}}},
        },
    )
    return [plan, *told, _end(run, told)]


def _round() -> RoundFinished:
    return RoundFinished(
        variant="enriched",
        round="news-summarizer",
        task="news-summarizer",
        generator="example",
        prompts=10,
        records=8,
        quarantined=2,
        reused=3,
        calls=7,
        prompt_tokens=700,
        completion_tokens=70,
        cost=0.25,
        reused_cost=None,
    )


def _training(variant: str, seed: int) -> list[EpochFinished | CellFinished]:
    """The epochs of a cell, and its end."""
    epochs = [
        EpochFinished(variant, "nrms", seed, epoch, 1 / epoch, dict.fromkeys(_METRICS, 0.5 + epoch / 100))
        for epoch in range(1, _EPOCHS + 1)
    ]
    return [*epochs, CellFinished(variant, "nrms", seed, _rows(variant, "nrms", seed), epochs)]


def _rows(variant: str, baseline: str, seed: int | None) -> list[dict[str, object]]:
    """Rows as of `results.json`; nobody is new."""
    return [
        {
            "variant": variant,
            "baseline": baseline,
            "seed": seed,
            "split": "test",
            "segment": segment,
            **dict.fromkeys(_METRICS, None if segment == "new" else 0.5 + (seed or 0) / 7),
            "impressions": 0 if segment == "new" else 40,
            "leaked": False,
        }
        for segment in ("all", "new", "warm")
    ]


def _end(run: TrackedRun, told: Sequence[RunEvent]) -> RunFinished:
    rows = [row for each in told if isinstance(each, CellFinished) for row in each.rows]
    return RunFinished(run.name, run.folder, rows)


@contextmanager
def _run() -> Iterator[TrackedRun]:
    """A run whose folder is not there yet."""
    with tempfile.TemporaryDirectory() as folder:
        yield TrackedRun("conformance-example", Path(folder) / "runs" / "conformance-example")
