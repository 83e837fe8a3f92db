"""Named instances of parts: what a table such as `[generators.NAME]` in registry.toml describes."""

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias, get_args

import attrs

from genre.errors import UsageError, nearest
from genre.generation.limits import Limits
from genre.options import option_names
from genre.registry import Registry
from genre.settings import Settings

InstanceKind: TypeAlias = Literal["generator", "executor", "tracker"]
"""Kinds of parts that a table of registry.toml describes instances of."""


@attrs.frozen
class Instance:
    """A part with the options of one instance of it.

    Attributes:
        plugin: the part's name.
        options: its options; paths are resolved against the file that says them.
        limits: of a generator, how hard it is driven.
        where: file and key of the table, for messages.
    """

    plugin: str
    options: Mapping[str, object]
    limits: Mapping[str, object]
    where: str


def instance(registry: Registry, kind: InstanceKind, name: str, *, named_at: str | None = None) -> Instance:
    """What `[generators.NAME]`, `[executors.NAME]` or `[trackers.NAME]` says, or a part of that name with no options.

    Args:
        named_at: who names it, for messages.

    Raises:
        UsageError: there is neither a table nor a part of that name, or its `plugin` or its `limits` are wrong.
    """
    settings = registry.settings
    table = f"{kind}s"
    instances = settings.table(table)
    where = settings.where(table, name)
    if name not in instances:
        plugins = {entry.part.name for entry in registry.parts(kind)}
        if name not in plugins:
            raise UsageError(
                f"there is no {kind} {name!r}", where=named_at, remedy=nearest(name, {*instances, *plugins})
            )
    options = settings.table(table, name)
    plugin = options.get("plugin", name)
    if not isinstance(plugin, str):
        raise UsageError(f"plugin is {plugin!r}, and a name is expected", where=where)
    registry.get(kind, plugin, where=where if name in instances else named_at)
    if cls := registry.options_class(kind, plugin):
        options = settings.located(cls, table, name)
    options.pop("plugin", None)
    limits = options.pop("limits", {}) if kind == "generator" else {}
    if not isinstance(limits, Mapping):
        raise UsageError(f"limits is {limits!r}, and a table is expected", where=where)
    return Instance(plugin, options, limits, where)


def check_instances(registry: Registry, said: Settings) -> None:
    """Names that mean nothing are mistakes, not remarks, whether anybody uses the instance or not.

    Args:
        registry: with the settings that instances are made from.
        said: the part of these settings whose tables are looked at.

    Raises:
        UsageError: an instance is of no part that there is, or has an option that its part has not.
    """
    for kind in get_args(InstanceKind):
        for name in said.table(f"{kind}s"):
            found = instance(registry, kind, name)
            cls = registry.options_class(kind, found.plugin)
            place = (f"{kind}s", name)
            _check_names(registry.settings, found.options, option_names(cls) if cls else (), place)
            _check_names(registry.settings, found.limits, option_names(Limits), (*place, "limits"))


def _check_names(settings: Settings, given: Iterable[str], known: Iterable[str], place: tuple[str, ...]) -> None:
    for name in given:
        if name not in known:
            raise UsageError(
                f"unknown option {name!r}", where=settings.where(*place, name), remedy=nearest(name, known)
            )
