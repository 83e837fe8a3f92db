"""What a worker process and its parent tell each other: JSON, and nothing that runs code.

The first line to a worker is its configuration. After it each line, either way, holds several messages. A message is a
list, which is quicker to write and to read than names and values:

- to a worker `[number, draw, retry, [max_tokens, temperature, top_p], [[role, content], ...]]` asks, `[number]` takes
  the question back, and `[null, schema]` tells the schema of the answers to all questions that follow;
- to its parent `[null]` says first that the worker can make calls, `[null, message, where, remedy]` that it can make
  none, and `[number, kind, ...]` is what became of a question.
"""

import gc
import json
from collections.abc import Mapping
from typing import Final, TypeAlias

import attrs

from genre.errors import UsageError
from genre.parts import (
    Completion,
    Fatal,
    GenerationError,
    Json,
    Message,
    Prompt,
    RateLimited,
    Refused,
    Sampling,
    Transient,
    Usage,
)
from genre_generators.worker_lines import Said, encoded

Schema: TypeAlias = Mapping[str, Json] | None

_ERRORS: Final[Mapping[str, type[GenerationError]]] = {
    cls.__name__: cls for cls in (RateLimited, Transient, Refused, Fatal)
}


@attrs.frozen
class Configuration:
    """What a worker is told first, on its standard input; the key goes this way and no other.

    Attributes:
        caller: who makes the calls, by its name in the worker's table.
        options: the generator's options as plain data.
        key: the value of the option `api_key`, None without it.
        collect: how often garbage is collected, as in the parent.
    """

    caller: str
    options: Mapping[str, object]
    key: str | None = attrs.field(repr=False)
    collect: tuple[int, ...] = attrs.field(factory=gc.get_threshold, converter=tuple)

    def line(self) -> bytes:
        """As it is sent."""
        return encoded(attrs.asdict(self))

    @classmethod
    def read(cls, line: bytes) -> "Configuration":
        """As it was sent."""
        return cls(**json.loads(line))


def question(number: int, prompt: Prompt) -> Said:
    """All of a prompt that a call depends on, but the schema."""
    sampling = prompt.sampling
    drawn = [sampling.max_tokens, sampling.temperature, sampling.top_p]
    return [number, prompt.draw, prompt.retry, drawn, [[each.role, each.content] for each in prompt.messages]]


def read_question(said: Said, schema: Schema) -> Prompt:
    """The prompt, without what no call depends on."""
    _, draw, retry, drawn, messages = said
    chat = tuple([Message(role, content) for role, content in messages])
    return Prompt("", "", draw, chat, Sampling(*drawn), schema, retry=retry)


def outcome(number: int, came: Completion | GenerationError) -> Said:
    """What became of a question."""
    if isinstance(came, Completion):
        usage = came.usage
        return [number, "answer", came.text, came.model, came.finish, usage.prompt_tokens, usage.completion_tokens]
    retry_after = came.retry_after if isinstance(came, RateLimited) else None
    return [number, type(came).__name__, str(came), came.may_be_billed, retry_after]


def read_outcome(said: Said) -> Completion | GenerationError:
    """What became of a question."""
    if said[1] == "answer":
        _, _, text, model, finish, prompt_tokens, completion_tokens = said
        return Completion(text, model, finish, Usage(prompt_tokens, completion_tokens))
    _, kind, message, may_be_billed, retry_after = said
    error = _ERRORS[kind](message)
    error.may_be_billed = may_be_billed
    if isinstance(error, RateLimited):
        error.retry_after = retry_after
    return error


def beginning(refused: UsageError | None) -> Said:
    """What a worker says first: that it can make calls, or why it can make none."""
    return [None] if refused is None else [None, refused.message, refused.where, refused.remedy]


def read_beginning(said: Said) -> UsageError | None:
    """Why a worker can make no calls; None when it can."""
    if len(said) == 1:
        return None
    _, message, where, remedy = said
    return UsageError(message, where=where, remedy=remedy)
