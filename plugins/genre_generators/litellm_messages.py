"""What a worker process and its parent tell each other: one JSON value a line, and nothing that runs code."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeAlias, cast

import attrs

from genre.errors import UsageError
from genre.options import structure
from genre.parts import (
    Completion,
    Fatal,
    GenerationError,
    Message,
    Prompt,
    RateLimited,
    Refused,
    Sampling,
    Transient,
    Usage,
)
from genre_generators.litellm_options import LiteLLMOptions

Line: TypeAlias = dict[str, Any]
"""A message of one of the two."""

_ERRORS: Final[Mapping[str, type[GenerationError]]] = {
    cls.__name__: cls for cls in (RateLimited, Transient, Refused, Fatal)
}


class Lines:
    """Cuts what arrives into lines."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []

    def feed(self, data: bytes) -> list[Line]:
        """The messages that this piece completes."""
        head, newline, tail = data.rpartition(b"\n")
        if not newline:
            self._rest.append(data)
            return []
        whole = b"".join([*self._rest, head])
        self._rest = [tail]
        return [json.loads(line) for line in whole.split(b"\n")]


class Outbox:
    """Sends what is said in one turn of the event loop with one write.

    Args:
        call_soon: of the event loop.
        write: of the transport.
    """

    def __init__(self, call_soon: Callable[[Callable[[], None]], object], write: Callable[[bytes], object]) -> None:
        self._call_soon = call_soon
        self._write = write
        self._lines: list[bytes] = []

    def put(self, line: Mapping[str, object]) -> None:
        """Say this."""
        if not self._lines:
            self._call_soon(self._flush)
        self._lines.append(encoded(line))

    def _flush(self) -> None:
        lines, self._lines = self._lines, []
        self._write(b"".join(lines))


def encoded(line: Mapping[str, object]) -> bytes:
    """A message as it is sent: ASCII, so that texts with half of a surrogate pair pass too."""
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def configuration_line(options: LiteLLMOptions, key: str | None) -> Line:
    """What a worker needs to know; the key goes this way and no other."""
    return {"options": attrs.asdict(options), "key": key}


def read_configuration(line: Line) -> tuple[LiteLLMOptions, str | None]:
    """The options and the key."""
    return structure(line["options"], LiteLLMOptions, "worker"), line["key"]


def prompt_line(prompt: Prompt) -> Line:
    """All of a prompt that a call depends on."""
    return {
        "messages": [[message.role, message.content] for message in prompt.messages],
        "sampling": [prompt.sampling.max_tokens, prompt.sampling.temperature, prompt.sampling.top_p],
        "draw": prompt.draw,
        "retry": prompt.retry,
        "schema": prompt.schema,
    }


def read_prompt(line: Line) -> Prompt:
    """The prompt, without what no call depends on."""
    messages = tuple(Message(role, content) for role, content in line["messages"])
    sampling = Sampling(*line["sampling"])
    return Prompt("", "", line["draw"], messages, sampling, line["schema"], retry=line["retry"])


def outcome_line(outcome: Completion | GenerationError | UsageError) -> Line:
    """What became of a call."""
    if isinstance(outcome, Completion):
        usage = outcome.usage
        return {"answer": [outcome.text, outcome.model, outcome.finish, usage.prompt_tokens, usage.completion_tokens]}
    if isinstance(outcome, UsageError):
        return {"usage_error": [outcome.message, outcome.where, outcome.remedy]}
    retry_after = outcome.retry_after if isinstance(outcome, RateLimited) else None
    return {"error": [type(outcome).__name__, str(outcome), outcome.may_be_billed, retry_after]}


def read_outcome(line: Line) -> Completion | GenerationError | UsageError:
    """What became of a call."""
    if "answer" in line:
        text, model, finish, prompt_tokens, completion_tokens = line["answer"]
        return Completion(text, model, cast(Literal["stop", "length"], finish), Usage(prompt_tokens, completion_tokens))
    if "usage_error" in line:
        message, where, remedy = line["usage_error"]
        return UsageError(message, where=where, remedy=remedy)
    name, message, may_be_billed, retry_after = line["error"]
    error = _ERRORS[name](message)
    error.may_be_billed = may_be_billed
    if isinstance(error, RateLimited):
        error.retry_after = retry_after
    return error
