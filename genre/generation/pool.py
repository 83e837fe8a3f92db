"""Named generator instances: what `[generators.NAME]` in registry.toml describes."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import cast

from genre.errors import UsageError, nearest
from genre.generation.engine import Limits
from genre.parts import Generator
from genre.registry import Registry
from genre.settings import structure


class GeneratorPool:
    """Generator instances by name, each made once, all closed at the end."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._made: dict[str, tuple[Generator, Limits]] = {}

    def get(self, name: str) -> tuple[Generator, Limits]:
        """The instance that `[generators.NAME]` describes, or a plugin of that name with its default options.

        Raises:
            UsageError: there is none, or an option of it is wrong.
        """
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    async def aclose(self) -> None:
        """Close every generator that has something to close."""
        made, self._made = self._made, {}
        async with AsyncExitStack() as stack:
            for generator, _ in made.values():
                if close := getattr(generator, "aclose", None):
                    stack.push_async_callback(close)

    def _make(self, name: str) -> tuple[Generator, Limits]:
        settings = self._registry.settings
        instances = settings.table("generators")
        where = settings.where("generators", name)
        if name not in instances:
            plugins = {entry.part.name for entry in self._registry.parts("generator")}
            if name not in plugins:
                raise UsageError(f"there is no generator {name!r}", remedy=nearest(name, {*instances, *plugins}))
        table = settings.table("generators", name)
        plugin = table.get("plugin", name)
        if not isinstance(plugin, str):
            raise UsageError(f"plugin is {plugin!r}, and a name is expected", where=where)
        cls = self._registry.options_class("generator", plugin)
        options = settings.located(cls, "generators", name) if cls else dict(table)
        options.pop("plugin", None)
        limits = options.pop("limits", {})
        if not isinstance(limits, Mapping):
            raise UsageError(f"limits is {limits!r}, and a table is expected", where=where)
        generator = self._registry.create("generator", plugin, options, where=where)
        return cast(Generator, generator), structure(limits, Limits, f"{where}.limits")


@asynccontextmanager
async def generator_pool(registry: Registry) -> AsyncIterator[GeneratorPool]:
    """A pool that closes its generators however the block ends."""
    pool = GeneratorPool(registry)
    try:
        yield pool
    finally:
        await pool.aclose()
