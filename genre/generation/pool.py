"""Named generator instances: what `[generators.NAME]` in registry.toml describes."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import cast

from genre.errors import UsageError
from genre.generation.instances import instance
from genre.generation.limits import Limits
from genre.generation.routing import Routing
from genre.options import structure, without_secrets
from genre.parts import Generator, Router
from genre.registry import Registry


class GeneratorPool:
    """Generator instances by name, each made once, all closed at the end.

    Args:
        registry: plugins and settings.
        on_message: told what generators tell while they work, with their names.
        reads_keys: whether API keys are read from the environment. Without them nobody can be asked, but the generators
            say who they are and what they cost.
    """

    def __init__(
        self, registry: Registry, on_message: Callable[[str], None] = lambda _: None, *, reads_keys: bool = True
    ) -> None:
        self._registry = registry
        self._reads_keys = reads_keys
        self._on_message = on_message
        self._made: dict[str, tuple[Generator | Router, Limits]] = {}

    def get(self, name: str) -> Routing:
        """The instance that `[generators.NAME]` describes, or a plugin of that name with its default options.

        Of a router (such as `mix`), all the instances that it chooses among.

        Raises:
            UsageError: there is none, or an option of it is wrong.
        """
        made, limits = self._instance(name)
        if not isinstance(made, Router):
            return Routing.to(made, limits, name)
        where = self._registry.settings.where("generators", name)
        if not made.names:
            raise UsageError(f"the router {name!r} chooses among no generators", where=where, remedy="name some")
        routes: dict[str, tuple[Generator, Limits]] = {}
        for other in made.names:
            chosen, its_limits = self._instance(other, where=where)
            if isinstance(chosen, Router):
                raise UsageError(
                    f"the router {name!r} names {other!r}, which is a router too",
                    where=where,
                    remedy="name the generators that it chooses among",
                )
            routes[other] = (chosen, its_limits)
        return Routing(name, routes, made)

    async def aclose(self) -> None:
        """Close every generator that has something to close."""
        made, self._made = self._made, {}
        async with AsyncExitStack() as stack:
            for generator, _ in made.values():
                if close := getattr(generator, "aclose", None):
                    stack.push_async_callback(close)

    def _instance(self, name: str, where: str | None = None) -> tuple[Generator | Router, Limits]:
        if name not in self._made:
            self._made[name] = self._make(name, where)
        return self._made[name]

    def _make(self, name: str, named_at: str | None) -> tuple[Generator | Router, Limits]:
        found = instance(self._registry, "generator", name, named_at=named_at)
        options = self._registry.structure_options("generator", found.plugin, found.options, where=found.where)
        make = self._registry.target("generator", found.plugin)
        generator = make(options if self._reads_keys else without_secrets(options))
        if hasattr(generator, "on_message"):
            generator.on_message = lambda text: self._on_message(f"{name}: {text}")
        limits = {**getattr(generator, "default_limits", {}), **found.limits}
        return cast(Generator | Router, generator), structure(limits, Limits, f"{found.where}.limits")


@asynccontextmanager
async def generator_pool(
    registry: Registry, on_message: Callable[[str], None] = lambda _: None
) -> AsyncIterator[GeneratorPool]:
    """A pool that closes its generators however the block ends."""
    pool = GeneratorPool(registry, on_message)
    try:
        yield pool
    finally:
        await pool.aclose()
