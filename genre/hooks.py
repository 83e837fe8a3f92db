"""Every hook on one page: what a plugin author reads first.

A plugin is a module (or object) registered under the entry-point group `genre`; it implements any of these hooks with
`@genre.hookimpl` and yields records of `genre.parts`. Hooks that yield parts are called once, when the registry is
loaded, so their module should import nothing heavy: a record names its code by an import string.
"""

from collections.abc import Iterable
from typing import Final

import pluggy

from genre.parts import (
    AnswersStored,
    Baseline,
    Encoder,
    EpochFinished,
    Part,
    RunFinished,
    RunPlan,
    Task,
)

PROJECT: Final = "genre"
hookspec: Final = pluggy.HookspecMarker(PROJECT)
hookimpl: Final = pluggy.HookimplMarker(PROJECT)


@hookspec
def genre_datasets() -> Iterable[Part]:  # type: ignore[empty-body]
    """Data set readers. Target: `(options) -> Dataset`, such as a `RowsReader`. A `DatasetPart` names downloads."""


@hookspec
def genre_prompters() -> Iterable[Part]:  # type: ignore[empty-body]
    """Prompters. Target: `(options, task) -> Prompter`."""


@hookspec
def genre_generators() -> Iterable[Part]:  # type: ignore[empty-body]
    """Generators. Target: `(options) -> Generator`."""


@hookspec
def genre_updaters() -> Iterable[Part]:  # type: ignore[empty-body]
    """Updaters. Target: `(options) -> Updater`."""


@hookspec
def genre_tasks() -> Iterable[Task]:  # type: ignore[empty-body]
    """Tasks: a prompter and an updater with the options that make them a task."""


@hookspec
def genre_gates() -> Iterable[Part]:  # type: ignore[empty-body]
    """Quality gates for parsed answers. Target: `(options, dataset) -> Gate`."""


@hookspec
def genre_encoders() -> Iterable[Encoder]:  # type: ignore[empty-body]
    """Encoders. Target: `(options, fields, dim)` for fields and for news, `(options, dim, users)` for users."""


@hookspec
def genre_interactions() -> Iterable[Part]:  # type: ignore[empty-body]
    """Interactions of user and candidate vectors. Target: `(options, dim, fields) -> Interaction`."""


@hookspec
def genre_baselines() -> Iterable[Baseline]:  # type: ignore[empty-body]
    """Recommenders, composed of registered encoders and a registered interaction."""


@hookspec
def genre_executors() -> Iterable[Part]:  # type: ignore[empty-body]
    """Executors: where prompts are answered. Target: `(options) -> Executor` of `genre.generation`.

    It may also be a `TrainingExecutor` of `genre.modeling.executors`, which trains.
    """


@hookspec
def genre_trackers() -> Iterable[Part]:  # type: ignore[empty-body]
    """Trackers: where figures of a run are shown. Target: `(options, run) -> Tracker`."""


@hookspec
def genre_commands() -> Iterable[Part]:  # type: ignore[empty-body]
    """Further commands of `genre`. Target: a `click.Command`, loaded when it is called."""


@hookspec
def genre_run_planned(plan: RunPlan) -> str | None:
    """Event: a run is about to start. A returned text vetoes it, before the first call, with that reason."""


@hookspec
def genre_answers_stored(event: AnswersStored) -> None:
    """Event: a group of answers is on disk."""


@hookspec
def genre_epoch_finished(event: EpochFinished) -> None:
    """Event: a training epoch is over and evaluated."""


@hookspec
def genre_run_finished(event: RunFinished) -> None:
    """Event: a run is complete and its results are on disk."""
