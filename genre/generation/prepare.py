"""A round as an experiment file says it, checked and turned into parts before anything is asked."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import attrs

from genre.dataset import Dataset
from genre.errors import UsageError, nearest
from genre.parts import NAME_RULE, Gate, Kind, Prompter, Task, Updater, is_name
from genre.registry import Registry
from genre.settings import Layer, Settings, option_names


@attrs.frozen
class RoundSpec:
    """One round, as an experiment file says it.

    Attributes:
        task: name of the task.
        generator: name of a generator instance; default: the task's in registry.toml, then `defaults.generator`.
        name: name of the round and of the text versions it writes; default: the task's name.
        limit: ask about the first so many subjects only.
        options: options of the task's prompter and updater, over those of registry.toml; `gates` is a table of gates
            with their options.
    """

    task: str
    generator: str | None = None
    name: str | None = None
    limit: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(0)))
    options: Mapping[str, object] = attrs.field(factory=dict)


@attrs.frozen(eq=False)
class PreparedRound:
    """A round whose parts exist: nothing about it can be misspelt any more."""

    name: str
    task: Task
    generator_name: str
    prompter: Prompter
    updater: Updater
    gates: Mapping[str, Callable[[Dataset], Gate]]
    limit: int | None
    options: Mapping[str, object]


def prepare_round(
    registry: Registry, spec: RoundSpec, *, path: Path | None = None, where: str = "round"
) -> PreparedRound:
    """Look up a round's parts and check every option, before anything is asked.

    Args:
        path: the file that says the spec; relative paths in its options refer to its folder.
        where: file and key of the spec, for messages.

    Raises:
        UsageError: an unknown or disabled part, or a wrong option.
    """
    task = registry.task(spec.task)
    name = spec.name or task.name
    if not is_name(name):
        raise UsageError(f"the round's name {name!r} must be {NAME_RULE}", where=where)
    parts: tuple[tuple[Kind, str], ...] = (("prompter", task.prompter), ("updater", task.updater))
    classes = {kind: registry.options_class(kind, part) for kind, part in parts}
    layers = _layers(registry, task, spec, path, where)
    used = layers.table("tasks", task.name)
    used.pop("generator", None)
    gates = _gates(task, used.pop("gates", {}), layers.where("tasks", task.name, "gates"))
    known = {option for cls in classes.values() if cls for option in option_names(cls)}
    if unknown := sorted(set(used) - known):
        place = where if unknown[0] in spec.options else layers.where("tasks", task.name, unknown[0])
        raise UsageError(
            f"unknown option {unknown[0]!r} of the task {task.name!r}", where=place, remedy=nearest(unknown[0], known)
        )

    def create(kind: Kind, part: str, **context: object) -> object:
        cls = classes[kind]
        located = layers.located(cls, "tasks", task.name) if cls else {}
        mine = {key: value for key, value in located.items() if cls and key in option_names(cls)}
        return registry.create(kind, part, mine, where=f"{where}, task {task.name}", **context)

    return PreparedRound(
        name=name,
        task=task,
        generator_name=spec.generator or _default_generator(registry, task.name),
        prompter=cast(Prompter, create("prompter", task.prompter, task=task.name)),
        updater=cast(Updater, create("updater", task.updater)),
        gates={gate: _gate_maker(registry, gate, options, where) for gate, options in gates.items()},
        limit=spec.limit,
        options={**used, "gates": {gate: dict(options) for gate, options in gates.items()}},
    )


def _layers(registry: Registry, task: Task, spec: RoundSpec, path: Path | None, where: str) -> Settings:
    """The task's own defaults below registry.toml, and the round's options above it."""
    own = Layer(f"task {task.name}", {"tasks": {task.name: task.defaults}})
    mine = Layer(where, {"tasks": {task.name: spec.options}}, path)
    return Settings((own, *registry.settings.layers, mine))


def _default_generator(registry: Registry, task: str) -> str:
    table = registry.settings.table("tasks", task)
    name = table.get("generator", registry.settings.table("defaults").get("generator"))
    if not isinstance(name, str):
        raise UsageError(
            f"no generator serves the task {task!r}",
            remedy=f"set [tasks.{task}] generator = NAME or [defaults] generator = NAME in registry.toml",
        )
    return name


def _gates(task: Task, given: object, where: str | None) -> Mapping[str, Mapping[str, object]]:
    """The task's own gates, and those of registry.toml or the round with their options."""
    if not isinstance(given, Mapping) or not all(isinstance(options, Mapping) for options in given.values()):
        raise UsageError(
            f"gates of the task {task.name!r} are {given!r}, and a table of tables is expected",
            where=where,
            remedy='write, for example, gates = { distinct = { property = "title" } }',
        )
    return {**task.gates, **given}


def _gate_maker(registry: Registry, name: str, options: Mapping[str, object], where: str) -> Callable[[Dataset], Gate]:
    registry.structure_options("gate", name, options, where=f"{where}, gates.{name}")
    return lambda dataset: cast(Gate, registry.create("gate", name, options, dataset=dataset))
