"""Contracts of the generation half: prompts, completions, and who makes and uses them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias, runtime_checkable

import attrs

if TYPE_CHECKING:
    import polars as pl

    from genre.dataset import Dataset

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""What a JSON text can hold."""

Record: TypeAlias = Mapping[str, Json]
"""A parsed answer: the properties that the prompt's schema asks for."""


@attrs.frozen
class Message:
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


@attrs.frozen
class Sampling:
    """How a model draws its answer. All of it is part of an answer's key.

    Attributes:
        max_tokens: upper bound of the answer's tokens. Required, because it bounds the price of a call.
        temperature: 0 is greedy.
        top_p: mass of the nucleus.
    """

    max_tokens: int = attrs.field(validator=attrs.validators.ge(1))
    temperature: float = attrs.field(default=0.7, validator=attrs.validators.ge(0))
    top_p: float = attrs.field(default=1.0, validator=[attrs.validators.gt(0), attrs.validators.le(1)])


@attrs.frozen
class Prompt:
    """One question to a model about one subject.

    Attributes:
        task: name of the task that asks.
        subject: id of the news or of the reader that is asked about.
        draw: number of this answer among those asked for the same subject, from 0.
        messages: the rendered chat.
        sampling: how to draw the answer.
        schema: JSON schema of the answer, or None for free text. It stays as it is once a prompt holds it; one object
            for all prompts of a round is quicker than equal ones.
        version: hash of the template; provenance only, not part of the key.
        user: the user behind a reader, so that recordings keyed by user can be found.
        retry: how many answers to it were set aside so far. It changes the seed only, and is not part of the key: the
            new answer takes the place of the old one.
    """

    task: str
    subject: str
    draw: int
    messages: tuple[Message, ...]
    sampling: Sampling
    schema: Mapping[str, Json] | None = None
    version: str = ""
    user: str | None = None
    retry: int = 0

    @property
    def seed(self) -> int:
        """What a provider that takes a seed is given, so that draws differ and repeat, and a retry draws anew."""
        return self.draw + _SEEDS_APART * self.retry


_SEEDS_APART: Final = 1_000_003
"""Seeds of a prompt's retries, so that they are those of no other draw."""


@attrs.frozen
class Identity:
    """Which model answers, and where. Two generators of equal identity share their stored answers.

    Attributes:
        model: the model's name, as exact as it is known (for a file of weights: name and content hash).
        endpoint: the address or service that runs it; never holds a secret.
        parameters: further settings that change its answers, JSON values only.
        leaks: its answers were made from more than the prompt says (such as recordings made from whole histories);
            results that rest on them are marked. Not part of an answer's key.
    """

    model: str
    endpoint: str
    parameters: Mapping[str, Json] = attrs.field(factory=dict)
    leaks: bool = False


@attrs.frozen
class Usage:
    """Tokens that a call used; None where the provider does not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@attrs.frozen
class Price:
    """What tokens cost.

    Attributes:
        prompt, completion: US dollars for a million tokens.
    """

    prompt: float = attrs.field(validator=attrs.validators.ge(0))
    completion: float = attrs.field(validator=attrs.validators.ge(0))

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """US dollars for a call."""
        return (prompt_tokens * self.prompt + completion_tokens * self.completion) / 1e6


@attrs.frozen
class Completion:
    """A model's answer.

    Attributes:
        text: the raw text.
        model: the model that answered, as the provider names it.
        finish: `"stop"`, or `"length"` when `max_tokens` cut the text off.
        usage: tokens used.
    """

    text: str
    model: str
    finish: Literal["stop", "length"] = "stop"
    usage: Usage = Usage()


class GenerationError(Exception):
    """Base of the typed errors that `Generator.complete` raises.

    Attributes:
        may_be_billed: the provider may have answered and charged although there is nothing to show for it.
    """

    def __init__(self, message: str, *, may_be_billed: bool = False) -> None:
        super().__init__(message)
        self.may_be_billed = may_be_billed


class RateLimited(GenerationError):
    """The provider asks for fewer calls (429). Never uses up an attempt.

    Attributes:
        retry_after: seconds to wait, when the provider says so.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Transient(GenerationError):
    """Worth another attempt: time-outs, dropped connections, 408 and 5xx."""


class Refused(GenerationError):
    """This prompt will not be answered (content filter, other 4xx); other prompts may be."""


class Fatal(GenerationError):
    """No prompt will be answered by this generator (401, 403, unknown model). Says what to do."""


class Skipped(GenerationError):
    """The generator has no answer for this prompt and was told to leave it out; counted, not stored."""


class MalformedOutput(Exception):
    """An answer does not say what the prompt asks for.

    Attributes:
        reason: short and the same for the same kind of defect, so that reasons can be counted.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Generator(Protocol):
    """Answers prompts. Called `target(options)`; may offer `async def aclose(self)` to free what it holds, and
    `price: Price | None`, what its tokens cost (None: unknown), without which it cannot run under a budget. It may also
    offer `default_limits`, a mapping with the fields of `limits` in registry.toml that it needs to be others than the
    usual ones, and an attribute `on_message: Callable[[str], None]`, which is set to what shows a line to the user.
    `count_tokens(prompt) -> int | None` lets an estimate count the tokens of prompts; it must ask nobody.

    Concurrency, limits, retries, the store and progress are the engine's.
    """

    @property
    def identity(self) -> Identity:
        """Which model answers, and where."""

    async def complete(self, prompt: Prompt) -> Completion:
        """Answer one prompt.

        Raises:
            GenerationError: one of its subclasses, never anything else.
        """


@runtime_checkable
class KeepsAnswers(Protocol):
    """A generator that keeps its answers until they are stored, so that a call that is cut off loses none."""

    def answers_are_stored(self) -> None:
        """All that it gave are on disk."""


@runtime_checkable
class HoldsCalls(Protocol):
    """A generator that takes calls beyond those that may be in flight, to have the next ones at hand."""

    def keep_to(self, concurrency: int) -> int:
        """Have no more than so many calls in flight. Told before the first call, and always the same.

        Returns:
            how many more calls it takes meanwhile.
        """

    def send_no_more(self) -> None:
        """Calls that are at hand now are not sent any more: they fail as `Transient`, and cannot have been billed."""


@runtime_checkable
class Router(Protocol):
    """A generator that answers nothing itself but chooses among named instances. Called `target(options)`."""

    @property
    def names(self) -> Sequence[str]:
        """The instances of `[generators.NAME]` that it may choose."""

    def route(self, prompt: Prompt) -> Sequence[str]:
        """Which of them to ask, the first choice first; the same for the same prompt."""


class Prompter(Protocol):
    """Asks about the subjects of a data set. Called `target(options, task=NAME)`."""

    @property
    def schema(self) -> Mapping[str, Json]:
        """JSON schema of the answers: an object whose properties become the columns of the records."""

    def prompts(self, dataset: "Dataset") -> Iterator[Prompt]:
        """One prompt at a time, in the same order for the same data set."""

    def parse(self, prompt: Prompt, text: str) -> Record:
        """Read an answer.

        Raises:
            MalformedOutput: the text is not an answer to this prompt.
        """


class Updater(Protocol):
    """Puts records into a data set. Called `target(options)`."""

    def update(self, dataset: "Dataset", records: "pl.LazyFrame") -> "Dataset":
        """Return a new data set; `dataset` stays as it is.

        Args:
            dataset: the data set that the prompts were made from.
            records: `subject`, `draw`, `version` (the round's name), `model`, `repaired` (whether the answer's syntax
                had to be repaired), and the answer's properties, in the order of the prompts.
        """


class Gate(Protocol):
    """Accepts or rejects a parsed answer. Called `target(options, dataset=DATASET)`, once a round."""

    def reject(self, prompt: Prompt, record: Record) -> str | None:
        """A short reason to reject, or None. Called in the order of the prompts."""


def canonical_json(value: object) -> str:
    """JSON with sorted keys and no spaces: equal values give equal texts."""
    return _CANONICAL.encode(value)


_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
