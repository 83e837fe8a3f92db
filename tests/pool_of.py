"""A pool of generators of which there is one."""

import attrs

from genre.generation import Limits, Routing
from genre.parts import Generator


@attrs.frozen(eq=False)
class PoolOf:
    """A pool with one generator under every name."""

    generator: Generator
    limits: Limits = Limits(attempts=1)  # noqa: RUF009  it is frozen

    def get(self, name: str) -> Routing:
        return Routing.to(self.generator, self.limits, name)
