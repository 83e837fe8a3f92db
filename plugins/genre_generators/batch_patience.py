"""How long a batch is waited for, and how often it is looked at."""

from collections.abc import Iterator

import attrs


@attrs.frozen
class Patience:
    """How long a batch is waited for.

    Attributes:
        shortest, longest: seconds between two looks; the time grows from one to the other.
        whole: seconds after which the provider is asked to stop.
    """

    shortest: float
    longest: float
    whole: float

    def waits(self) -> Iterator[float]:
        """Seconds to wait after each look, without end."""
        wait = self.shortest
        while True:
            yield wait
            wait = min(self.longest, wait * 1.5)
