"""The rounds that a command asks for: those of an experiment's variants, or one for each task that it names."""

from collections.abc import Mapping, Sequence

from genre.errors import UsageError, nearest
from genre.experiments.plan import Experiment
from genre.generation import AnswerOptions, PreparedRound, RoundSpec, prepare_round
from genre.options import option_names
from genre.registry import Registry


def rounds_of_experiment(experiment: Experiment, registry: Registry) -> dict[str, list[PreparedRound]]:
    """The rounds of each variant.

    Args:
        registry: under the experiment's own settings.

    Raises:
        UsageError: an unknown task, or a wrong option.
    """
    source = str(experiment.path or experiment.name)
    return {
        variant.name: [
            prepare_round(registry, spec, path=experiment.path, where=f"{source}, variant {variant.name}")
            for spec in variant.rounds
        ]
        for variant in experiment.variants
    }


def rounds_of_tasks(
    registry: Registry,
    tasks: Sequence[str],
    *,
    generator: str | None = None,
    limit: int | None = None,
    options: Mapping[str, object] | None = None,
) -> list[PreparedRound]:
    """One round for each task.

    Args:
        options: go to each task that has them; `gates` goes to all.

    Raises:
        UsageError: an unknown task or option, or a task that stands twice.
    """
    given = dict(options or {})
    offered = {task: _task_options(registry, task) for task in tasks}
    known = set().union(*offered.values())
    if stray := sorted(set(given) - known):
        raise UsageError(f"no task has an option {stray[0]!r}", remedy=nearest(stray[0], known))
    if len(offered) < len(tasks):
        raise UsageError(
            "a task stands twice, and its second answers would take the place of the first",
            remedy="write an experiment file, where a round can have a `name` of its own",
        )
    specs = [
        RoundSpec(
            task=task,
            generator=generator,
            limit=limit,
            options={name: value for name, value in given.items() if name in offered[task]},
        )
        for task in tasks
    ]
    return [prepare_round(registry, spec, where="command line") for spec in specs]


def _task_options(registry: Registry, name: str) -> set[str]:
    task = registry.task(name)
    classes = (registry.options_class("prompter", task.prompter), registry.options_class("updater", task.updater))
    return {"gates", *(option for cls in (*classes, AnswerOptions) if cls for option in option_names(cls))}
