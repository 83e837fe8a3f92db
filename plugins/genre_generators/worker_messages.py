"""What a worker process and its parent tell each other: JSON, and nothing that runs code.

The first line to a worker is its configuration. After it each line, either way, holds several messages. A message is a
list, which is quicker to write and to read than names and values:

- to a worker `[number, question]` asks, `[number]` takes the question back, `[null, shared]` tells what belongs to all
  questions that follow, and `[null]` takes all questions back whose call has not begun;
- to its parent `[null]` says first that the worker can make calls, `[null, message, where, remedy]` that it can make
  none, `[number, answer]` is the answer to a question, and `[number, null, failure]` says that there is none.

What questions, answers and what they share are is the caller's own: see `chat_http_workers`, `litellm_workers`.
"""

import gc
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

import attrs

from genre.errors import UsageError
from genre.parts import Fatal, GenerationError, Json, RateLimited, Refused, Transient
from genre_generators.worker_lines import Said

Answer: TypeAlias = Callable[[Said, Json], Awaitable[Said]]
"""Answers a question, given what all questions share; it raises nothing but GenerationError."""

BEGIN_NO_MORE: Final[Said] = [None]
"""Takes all questions back whose call has not begun."""

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
        most_in_flight: calls that it may have under way; further ones wait. None for as many as it is asked.
        collect: how often garbage is collected, as in the parent.
    """

    caller: str
    options: Mapping[str, object]
    key: str | None = attrs.field(repr=False)
    most_in_flight: int | None = None
    collect: tuple[int, ...] = attrs.field(factory=gc.get_threshold, converter=tuple)

    @property
    def environment(self) -> dict[str, str]:
        """What a worker inherits: all but the variable of the key."""
        secret = self.options.get("api_key")
        return {name: value for name, value in os.environ.items() if secret != {"env": name}}

    def line(self) -> bytes:
        """As it is sent."""
        return json.dumps(attrs.asdict(self)).encode("ascii") + b"\n"

    @classmethod
    def read(cls, line: bytes) -> "Configuration":
        """As it was sent."""
        return cls(**json.loads(line))


def failure(error: GenerationError) -> Said:
    """The third part of a message whose answer is null."""
    retry_after = error.retry_after if isinstance(error, RateLimited) else None
    return [type(error).__name__, str(error), error.may_be_billed, retry_after]


def read_failure(said: Said) -> GenerationError:
    """What a call failed with."""
    parts: list[Any] = said
    kind, message, may_be_billed, retry_after = parts
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
    parts: list[Any] = said
    _, message, where, remedy = parts
    return UsageError(message, where=where, remedy=remedy)
