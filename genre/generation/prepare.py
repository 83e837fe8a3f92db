"""A round as an experiment file says it, checked and turned into parts before anything is asked."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import attrs

from genre.dataset import Dataset
from genre.errors import UsageError, nearest
from genre.generation.asking import AnswerOptions, AskAgain
from genre.options import option_names, structure
from genre.parts import NAME_RULE, Gate, Kind, Prompter, Task, Updater, is_name
from genre.registry import Registry
from genre.settings import Layer, Settings


@attrs.frozen
class RoundSpec:
    """One round, as an experiment file says it.

    Attributes:
        task: name of the task.
        generator: name of a generator instance; default: the task's in registry.toml, then `defaults.generator`.
        name: name of the round and of the text versions it writes; default: the task's name.
        limit: ask about the first so many subjects only.
        options: options of the task's prompter and updater, over those of registry.toml; `gates` is a table of gates
            with their options, over the task's own gates. `gates.NAME = false` leaves a gate out. Every task has the
            options of `AnswerOptions`: `ask_again`, `ask_again_template` and `repair`.
    """

    task: str
    generator: str | None = None
    name: str | None = None
    limit: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(0)))
    options: Mapping[str, object] = attrs.field(factory=dict)


@attrs.frozen(eq=False)
class PreparedRound:
    """A round whose parts exist: nothing about it can be misspelt any more.

    Attributes:
        repair, again: what is done about answers that cannot be used.
        retries: prompts, by subject and draw, whose unusable answer was set aside: how many of them were so far.
    """

    name: str
    task: Task
    generator_name: str
    prompter: Prompter
    updater: Updater
    gates: Mapping[str, Callable[[Dataset], Gate]]
    limit: int | None
    options: Mapping[str, object]
    repair: bool
    again: AskAgain
    retries: Mapping[tuple[str, int], int] = attrs.field(factory=dict)


def prepare_round(
    registry: Registry, spec: RoundSpec, *, path: Path | None = None, where: str = "round"
) -> PreparedRound:
    """Look up a round's parts and check every option, before anything is asked.

    A gate's option `property`, and each of its `properties` that somebody names, must be a property of the answers.

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
    gates = _gates(registry, task, used.pop("gates", {}), layers.where("tasks", task.name, "gates"))
    known = {option for cls in (*classes.values(), AnswerOptions) if cls for option in option_names(cls)}
    if unknown := sorted(set(used) - known):
        place = where if unknown[0] in spec.options else layers.where("tasks", task.name, unknown[0])
        raise UsageError(
            f"unknown option {unknown[0]!r} of the task {task.name!r}", where=place, remedy=nearest(unknown[0], known)
        )

    def options_of(cls: type | None) -> Mapping[str, object]:
        located = layers.located(cls, "tasks", task.name) if cls else {}
        return {key: value for key, value in located.items() if cls and key in option_names(cls)}

    def create(kind: Kind, part: str, **context: object) -> object:
        return registry.create(kind, part, options_of(classes[kind]), where=f"{where}, task {task.name}", **context)

    answers = structure(options_of(AnswerOptions), AnswerOptions, f"{where}, task {task.name}")
    prompter = cast(Prompter, create("prompter", task.prompter, task=task.name))
    for gate, said in gates.items():
        _check_gate(registry, gate, said, prompter, where=f"{where}, gates.{gate}")
    return PreparedRound(
        name=name,
        task=task,
        generator_name=spec.generator or _default_generator(registry, task.name),
        prompter=prompter,
        updater=cast(Updater, create("updater", task.updater)),
        gates={gate: _gate_maker(registry, gate, options, where) for gate, options in gates.items()},
        limit=spec.limit,
        options={**used, "gates": {gate: dict(options) for gate, options in gates.items()}},
        repair=answers.repair,
        again=AskAgain.load(answers),
    )


def _layers(registry: Registry, task: Task, spec: RoundSpec, path: Path | None, where: str) -> Settings:
    """The task's own defaults and gates below registry.toml, and the round's options above it."""
    own = Layer(f"task {task.name}", {"tasks": {task.name: {**task.defaults, "gates": task.gates}}})
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


def _gates(registry: Registry, task: Task, given: object, where: str) -> Mapping[str, Mapping[str, object]]:
    """The gates that are not switched off, with their options."""
    if not isinstance(given, Mapping) or not all(
        options is False or isinstance(options, Mapping) for options in given.values()
    ):
        raise UsageError(
            f"gates of the task {task.name!r} are {given!r}, and a table of tables is expected",
            where=where,
            remedy='write, for example, gates = { distinct = { property = "title" } }, or distinct = false for none',
        )
    for name in given:
        registry.get("gate", name, where=f"{where}.{name}")
    return {name: options for name, options in given.items() if isinstance(options, Mapping)}


def _check_gate(registry: Registry, name: str, given: Mapping[str, object], prompter: Prompter, *, where: str) -> None:
    """Options are structured, and the properties that they name are those of the answers."""
    options = registry.structure_options("gate", name, given, where=where)
    properties = prompter.schema.get("properties")
    if not isinstance(properties, Mapping):
        return
    judged, several = getattr(options, "property", None), getattr(options, "properties", ())
    wanted = {"property": (judged,) if isinstance(judged, str) else (), "properties": several}
    for option, names in wanted.items():
        missing = [each for each in names if each not in properties]
        # Of several properties that are only a default, those that an answer lacks are left out.
        if missing and (option == "property" or option in given or len(missing) == len(names)):
            raise UsageError(
                f"the answers have no property {missing[0]!r}, which the gate {name!r} would judge",
                where=f"{where}.{option}",
                remedy=nearest(missing[0], properties),
            )


def _gate_maker(registry: Registry, name: str, options: Mapping[str, object], where: str) -> Callable[[Dataset], Gate]:
    def make(dataset: Dataset) -> Gate:
        try:
            return cast(Gate, registry.create("gate", name, options, dataset=dataset))
        except UsageError as error:
            place = error.where or f"gates.{name}"
            raise UsageError(error.message, where=f"{where}, {place}", remedy=error.remedy) from error

    return make
