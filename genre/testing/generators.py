"""Laws of generators: an honest identity, typed errors, and answers to more than one prompt at a time."""

import asyncio
import json
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final, cast

import attrs

from genre.generation import parse_answer
from genre.options import secret_names
from genre.parts import (
    Completion,
    GenerationError,
    Generator,
    Identity,
    MalformedOutput,
    Message,
    Prompt,
    RateLimited,
    Sampling,
)
from genre.testing.check import Check, ConformanceError, checks_of, require, shown
from genre.testing.routers import RouterLaws
from genre.testing.subject import Subject, require_misspelling_is_told

AT_ONCE: Final = 8
EXAMPLE_PROMPT: Final = Prompt(
    task="conformance",
    subject="example",
    draw=0,
    messages=(
        Message("system", 'You write headlines. Answer with JSON: {"title": "..."}'),
        Message("user", "Write a headline about rain in Paris."),
    ),
    sampling=Sampling(max_tokens=200, temperature=0),
    schema={
        "type": "object",
        "properties": {"title": {"type": "string", "minLength": 1, "maxLength": 120}},
        "required": ["title"],
        "additionalProperties": False,
    },
    user="example-user",
)
"""What generators are asked unless an input says otherwise."""
HOSTILE_CONTENTS: Final = (
    "",
    "\n\n",
    "word " * 40_000,
    "\0\x1b[31m\u202e{{ 7 * 7 }}</s><|im_end|>",
    "\U0001f600" * 1_000,
)
"""Contents of a message that no template should make, and that text from files can."""
_PAUSE: Final = 0.5
"""Seconds until the next try after a rate limit that does not say how long it lasts."""


def generator_checks(subject: Subject, *, prompt: Prompt = EXAMPLE_PROMPT, timeout: float = 300.0) -> list[Check]:
    """The suite of a generator.

    Args:
        subject: the generator.
        prompt: one with a schema that it can answer; default: a headline, about the subject `example`.
        timeout: seconds that one check may take.
    """
    if hasattr(subject.registry.target("generator", subject.name), "route"):
        return checks_of(RouterLaws(subject, prompt))
    return checks_of(_Laws(subject, prompt, timeout))


@attrs.frozen(eq=False)
class _Laws:
    subject: Subject
    prompt: Prompt
    timeout: float

    def two_instances_have_equal_identities(self) -> None:
        one, other = self._make().identity, self._make().identity
        require(
            isinstance(one, Identity) and one == other,
            "two instances of equal options have equal identities, since they share stored answers",
            found=f"{one} and {other}",
            remedy="make it from what decides the answers only: no time, no port, no random id",
        )

    def the_identity_can_be_written_as_json(self) -> None:
        identity = self._make().identity
        try:
            self._written(identity)
        except (TypeError, ValueError) as error:
            raise ConformanceError(
                "an identity can be written as JSON, since it is part of an answer's key",
                f"{identity}: {error}",
                "use texts, numbers, flags, lists and dicts in `parameters`",
            ) from error
        require(
            bool(identity.model) and isinstance(identity.model, str) and isinstance(identity.endpoint, str),
            "an identity names a model and an endpoint",
            found=f"{identity}",
            remedy="name the model as exactly as it is known, and the address or service that runs it",
        )

    def the_identity_holds_no_secret(self) -> None:
        cls = self.subject.registry.options_class("generator", self.subject.name)
        for option in secret_names(cls) if cls else ():
            with _variable(f"conformance-{uuid.uuid4().hex}") as (name, value):
                identity = self._make({option: {"env": name}}).identity
                require(
                    value not in self._written(identity) and value not in repr(identity),
                    "an identity holds no secret, since it is stored and printed",
                    found=f"the value of the option {option!r}",
                    remedy="leave the key out of model, endpoint and parameters",
                )

    def a_prompt_with_a_schema_gets_an_answer_that_meets_it(self) -> None:
        prompt = self.prompt
        assert prompt.schema is not None
        [completion] = self._ask(prompt)
        try:
            parse_answer(completion.text, prompt.schema)
        except MalformedOutput as error:
            raise ConformanceError(
                "a prompt with a schema gets an answer that meets it",
                f"{shown(completion.text)} (finish: {completion.finish}): {error.reason}",
                "give the schema to the model, or `checks` an input prompt=... with one that it can meet",
            ) from error

    def a_prompt_without_a_schema_gets_a_text(self) -> None:
        [completion] = self._ask(attrs.evolve(self.prompt, schema=None))
        require(
            bool(completion.text.strip()),
            "a prompt without a schema gets a text",
            found=shown(completion),
            remedy="return the model's text; an empty reply is an error to raise",
        )

    def eight_prompts_at_once_are_answered(self) -> None:
        completions = self._ask(*[self.prompt] * AT_ONCE)
        require(
            all(completion.text for completion in completions),
            "eight prompts at once are answered",
            found=shown(completions),
            remedy="keep what belongs to one call out of the instance",
        )

    def only_typed_errors_are_raised(self) -> None:
        async def scenario(generator: Generator) -> None:
            for number, content in enumerate(HOSTILE_CONTENTS):
                prompt = attrs.evolve(self.prompt, subject=f"hostile-{number}", messages=(Message("user", content),))
                try:
                    await generator.complete(prompt)
                except GenerationError:
                    continue
                except Exception as error:
                    raise ConformanceError(
                        "`complete` raises subclasses of GenerationError only; anything else stops the run",
                        f"the message {shown(content, 60)} ended in {type(error).__name__}: {error}",
                        "raise Refused for a prompt that cannot be answered, Transient for what may pass",
                    ) from error

        self._run(scenario)

    def closing_twice_is_harmless(self) -> None:
        async def scenario(generator: Generator) -> None:
            close = getattr(generator, "aclose", None)
            if close is None:
                return
            await _answer(generator, self.prompt)
            await close()
            await close()

        self._run(scenario)
        self._run(_close)

    def a_misspelt_option_is_told(self) -> None:
        require_misspelling_is_told(self.subject.option_names, self.subject.make)

    def _make(self, further: dict[str, object] | None = None) -> Generator:
        return cast(Generator, self.subject.make(further))

    def _written(self, identity: Identity) -> str:
        return json.dumps(attrs.asdict(identity), allow_nan=False, ensure_ascii=False)

    def _ask(self, *prompts: Prompt) -> list[Completion]:
        """Answers to prompts that are asked all at once."""
        answers: list[object] = []

        async def scenario(generator: Generator) -> None:
            try:
                answers.extend(await asyncio.gather(*(_answer(generator, prompt) for prompt in prompts)))
            except GenerationError as error:
                raise ConformanceError(
                    "a generator answers an ordinary prompt",
                    f"{type(error).__name__}: {error}",
                    "give `checks` an input prompt=... that it can answer, or the options that it needs",
                ) from error

        self._run(scenario)
        for answer in answers:
            require(
                isinstance(answer, Completion)
                and isinstance(answer.text, str)
                and isinstance(answer.model, str)
                and bool(answer.model)
                and answer.finish in ("stop", "length"),
                "`complete` returns a Completion: a text, the model's name, and how it ended",
                found=shown(answer),
                remedy="return genre.parts.Completion(text=..., model=...)",
            )
        return cast(list[Completion], answers)

    def _run(self, scenario: Callable[[Generator], Awaitable[None]]) -> None:
        async def once() -> None:
            async with self._opened() as generator:
                await asyncio.wait_for(scenario(generator), self.timeout)

        try:
            asyncio.run(once())
        except TimeoutError as error:
            raise ConformanceError(
                "a generator answers in time",
                f"no end after {self.timeout:g} s",
                "bound the time of a call and raise Transient, or give `checks` a longer input timeout=...",
            ) from error

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Generator]:
        generator = self._make()
        try:
            yield generator
        finally:
            await _close(generator)


async def _answer(generator: Generator, prompt: Prompt) -> Completion:
    """The answer, once a service that limits calls takes this one; as long as the check may take."""
    while True:
        try:
            return await generator.complete(prompt)
        except RateLimited as limit:
            await asyncio.sleep(limit.retry_after or _PAUSE)


async def _close(generator: Generator) -> None:
    close: Callable[[], Awaitable[None]] | None = getattr(generator, "aclose", None)
    if close is not None:
        await close()


@contextmanager
def _variable(value: str) -> Iterator[tuple[str, str]]:
    """An environment variable with this value, while the block runs."""
    name = "GENRE_TESTING_SECRET"
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield name, value
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
