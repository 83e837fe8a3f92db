"""What crosses the borders of processes: prompts and answers as plain data."""

import json

import attrs

from genre.generation import StoredAnswer
from genre.generation.waiting import prompt_of
from genre.parts import Completion, Prompt, Usage

_KEYS = ("key", "question")


def prompt_text(prompt: Prompt) -> str:
    """A prompt as JSON, in ASCII."""
    return json.dumps(attrs.asdict(prompt))


def prompt_from(text: str) -> Prompt:
    """The prompt that `prompt_text` wrote."""
    return prompt_of(json.loads(text))


def answer_text(answer: StoredAnswer) -> str:
    """An answer as JSON, in ASCII."""
    values = attrs.asdict(answer)
    return json.dumps(values | {name: values[name] and values[name].hex() for name in _KEYS})


def answer_from(text: str) -> StoredAnswer:
    """The answer that `answer_text` wrote."""
    values = json.loads(text)
    values |= {name: values[name] and bytes.fromhex(values[name]) for name in _KEYS}
    completion = values["completion"]
    return StoredAnswer(**{**values, "completion": Completion(**{**completion, "usage": Usage(**completion["usage"])})})
