"""What workers of a round are told, and the generators that they make of it."""

from collections.abc import Mapping
from typing import NoReturn

import attrs

from genre.errors import UsageError
from genre.generation import GeneratorPool, Limits, Routing
from genre.generation.keys import identity_text
from genre.parts import Fatal, Generator, Identity, Price, Prompt
from genre.registry import Registry
from genre_executors.sent import SentLayers, sent_layers, settings_from


@attrs.frozen
class Assignment:
    """What every worker of a round is told.

    Attributes:
        layers: the settings that the generators are made from.
        generator: the instance of `[generators.NAME]` to ask.
        identities: what each generator's identity has to be on every machine, as `identity_text`, by name.
        workers: how many workers share the generators' limits.
        limited: whether there is a budget.
    """

    layers: SentLayers
    generator: str
    identities: Mapping[str, str]
    workers: int
    limited: bool

    @classmethod
    def of(cls, registry: Registry, routing: Routing, *, workers: int, limited: bool) -> "Assignment":
        """For so many workers; fewer where a generator allows fewer calls in flight, since each makes one at least."""
        fewest = min(limits.concurrency for _, limits in routing.routes.values())
        return cls(
            layers=sent_layers(registry.settings, {routing.name, *routing.routes}),
            generator=routing.name,
            identities={name: identity_text(identity) for name, identity in routing.identities.items()},
            workers=min(workers, fewest),
            limited=limited,
        )

    def routing(self) -> Routing:
        """The driver's routing, made here, with one worker's share of the limits.

        Raises:
            UsageError: a part is not installed here, or a generator is another one here.
        """
        routing = GeneratorPool(Registry.load(settings_from(self.layers))).get(self.generator)
        for name, identity in routing.identities.items():
            if identity_text(identity) != self.identities[name]:
                raise UsageError(
                    f"the generator {name!r} is another one on a worker's machine: {identity_text(identity)}, and not "
                    f"{self.identities[name]}",
                    remedy="install the same files and versions on every machine of the cluster",
                )
        routes = {
            name: (generator, share_of(limits, self.workers)) for name, (generator, limits) in routing.routes.items()
        }
        return attrs.evolve(routing, routes=routes)


def share_of(limits: Limits, workers: int) -> Limits:
    """One worker's share, so that all of them together keep within the limits."""

    def share(amount: float | None) -> float | None:
        return None if amount is None else amount / workers

    return attrs.evolve(
        limits,
        concurrency=max(1, limits.concurrency // workers),
        requests_per_minute=share(limits.requests_per_minute),
        tokens_per_minute=share(limits.tokens_per_minute),
    )


class DownGenerator:
    """In place of a generator that answers nothing any more: later blocks do not ask it again."""

    def __init__(self, generator: Generator, reason: str) -> None:
        self.identity: Identity = generator.identity
        self.price: Price | None = getattr(generator, "price", None)
        self._reason = reason

    async def complete(self, _: Prompt) -> NoReturn:
        """Answers nothing.

        Raises:
            Fatal: always.
        """
        raise Fatal(self._reason)
