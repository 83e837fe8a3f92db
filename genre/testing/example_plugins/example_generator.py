"""A plugin file with a generator that does what a prompt's subject says: other processes can make it by its name."""

from collections.abc import Iterator
from typing import Final

from genre import hookimpl
from genre.parts import Completion, Fatal, Identity, Part, Price, Prompt, Refused, Skipped, Transient, Usage

_ERRORS: Final = {"refused": Refused, "failed": Transient, "skipped": Skipped, "fatal": Fatal}


class ExampleGenerator:
    """Answers with the question's last words; a subject such as `refused-7` gets that error instead."""

    identity = Identity(model="example", endpoint="genre.testing")
    price = Price(prompt=1e4, completion=1e4)

    def __init__(self, _: None) -> None:
        pass

    async def complete(self, prompt: Prompt) -> Completion:
        """Answer one prompt, or raise what its subject says."""
        outcome = prompt.subject.partition("-")[0]
        if outcome in _ERRORS:
            raise _ERRORS[outcome](f"the subject is {prompt.subject}")
        finish = "length" if outcome == "truncated" else "stop"
        text = f"{prompt.messages[-1].content}, draw {prompt.draw}"
        return Completion(text, "example-1", finish, Usage(10, 10))  # type: ignore[arg-type]


@hookimpl
def genre_generators() -> Iterator[Part]:
    """For the checks of executors."""
    yield Part(
        name="conformance-example",
        summary="Does what a prompt's subject says",
        target="genre_local_example_generator:ExampleGenerator",
    )
