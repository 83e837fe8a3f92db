"""A check: one law of a part's contract, as something that can be called."""

from collections.abc import Callable

import attrs


class ConformanceError(AssertionError):
    """A part breaks a law of its contract.

    Attributes:
        law: the law, as a sentence.
        found: what was found instead, with the values.
        remedy: what to do about it.
    """

    def __init__(self, law: str, found: str, remedy: str) -> None:
        super().__init__(f"{law}\n  found: {found}\n  -> {remedy}")
        self.law = law
        self.found = found
        self.remedy = remedy


@attrs.frozen(eq=False)
class Check:
    """One law, held against one part.

    Attributes:
        name: the law in short; what `str` gives, so that pytest can take it as the test's id.
        run: builds the part and tests it.
    """

    name: str
    run: Callable[[], None] = attrs.field(repr=False)

    def __call__(self) -> None:
        """Run it.

        Raises:
            ConformanceError: the law is broken, or the part failed in a way that its contract does not allow.
        """
        try:
            self.run()
        except ConformanceError:
            raise
        except Exception as error:
            raise ConformanceError(
                f"the part works while it is checked for: {self.name}",
                f"{type(error).__name__}: {error}",
                "mend the part, or give `checks` the options and inputs that it needs",
            ) from error

    def __str__(self) -> str:
        return self.name


def checks_of(laws: object) -> list[Check]:
    """A check for each public method of an object's class, in the order in which the class defines them."""
    return [
        Check(name.replace("_", "-"), getattr(laws, name))
        for name, member in vars(type(laws)).items()
        if callable(member) and not name.startswith("_")
    ]


def require(holds: bool, law: str, *, found: str, remedy: str) -> None:
    """Nothing, if the law holds.

    Raises:
        ConformanceError: it does not.
    """
    if not holds:
        raise ConformanceError(law, found, remedy)


def shown(value: object, longest: int = 200) -> str:
    """A value as a message can show it: cut short, so that the message stays readable."""
    text = repr(value)
    return text if len(text) <= longest else f"{text[:longest]}... ({len(text)} characters)"
