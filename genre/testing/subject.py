"""The part under test, and the law about options that parts of every kind share."""

from collections.abc import Callable, Mapping, Sequence

import attrs

from genre.errors import UsageError
from genre.options import option_names
from genre.parts import Kind
from genre.registry import Registry
from genre.testing.check import ConformanceError


@attrs.frozen(eq=False)
class Subject:
    """A registered part with the options that it is tested under."""

    registry: Registry
    kind: Kind
    name: str
    options: Mapping[str, object]

    def make(self, further: Mapping[str, object] | None = None, **context: object) -> object:
        """A new instance, as the framework makes it.

        Args:
            further: options over the subject's own.
            context: the keywords of the kind's contract.

        Raises:
            UsageError: an option is wrong or missing.
        """
        options = {**self.options, **(further or {})}
        return self.registry.create(self.kind, self.name, options, where=f"{self.kind} {self.name}", **context)

    @property
    def option_names(self) -> Sequence[str]:
        """Names of the part's options."""
        cls = self.registry.options_class(self.kind, self.name)
        return option_names(cls) if cls else ()


def require_misspelling_is_told(known: Sequence[str], make: Callable[[Mapping[str, object]], object]) -> None:
    """The law that a misspelt option is a `UsageError` that names the nearest one.

    Args:
        known: names of the options that there are.
        make: makes the part with these options over its own.

    Raises:
        ConformanceError: it is accepted, is another error, or the message does not help.
    """
    law = "a misspelt option is a UsageError that names the nearest option"
    for name in known or ("option",):
        wrong = f"{name}{name[-1]}"
        if wrong in known:
            continue
        try:
            make({wrong: "a value"})
        except UsageError as error:
            told = str(error)
        except Exception as error:
            raise ConformanceError(
                law,
                f"the option {wrong!r} ended in {type(error).__name__}: {error}",
                "annotate every option with a type that TOML can say: text, number, flag, path, list, table",
            ) from error
        else:
            raise ConformanceError(
                law, f"the option {wrong!r} was accepted", "declare the options in an attrs class, each by its name"
            )
        if repr(wrong) not in told or (known and repr(name) not in told):
            raise ConformanceError(
                law,
                f"for the option {wrong!r} the message is {told!r}",
                f"the message must name {wrong!r} and {name!r}: leave it to genre, or give options names that differ",
            )
