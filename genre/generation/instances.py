"""Named instances of parts: what a table such as `[generators.NAME]` in registry.toml describes."""

from typing import Literal

import attrs

from genre.errors import UsageError, nearest
from genre.registry import Registry


@attrs.frozen
class Instance:
    """A part with the options of one instance of it.

    Attributes:
        plugin: the part's name.
        options: its options; paths are resolved against the file that says them.
        where: file and key of the table, for messages.
    """

    plugin: str
    options: dict[str, object]
    where: str


def instance(
    registry: Registry, kind: Literal["generator", "executor", "tracker"], name: str, *, named_at: str | None = None
) -> Instance:
    """What `[generators.NAME]`, `[executors.NAME]` or `[trackers.NAME]` says, or a part of that name with no options.

    Args:
        named_at: who names it, for messages.

    Raises:
        UsageError: there is neither a table nor a part of that name.
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
    if cls := registry.options_class(kind, plugin):
        options = settings.located(cls, table, name)
    options.pop("plugin", None)
    return Instance(plugin, options, where)
