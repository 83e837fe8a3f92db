"""Keys of prompts and answers: hashes of the canonical JSON of what was asked, and of who answers."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Self, TypeVar

import attrs
import orjson

from genre.errors import RunError
from genre.parts import Identity, Message, Prompt, Sampling, canonical_json

T = TypeVar("T")


@attrs.frozen
class Keys:
    """The keys of one prompt.

    Attributes:
        question: what was asked, whoever answered.
        answers: the answer of each generator that may be asked.
    """

    question: bytes
    answers: tuple[bytes, ...]


class KeyMaker:
    """Makes the keys of a round's prompts; what is the same for all of them is written as JSON once.

    Args:
        identities: who may answer, by name.
    """

    def __init__(self, identities: Mapping[str, Identity]) -> None:
        self._answering = {name: _Answering.of(identity) for name, identity in identities.items()}
        self._schema = SameAgain(canonical_json)
        self._sampling = SameAgain(_sampling_json)

    def keys(self, prompt: Prompt, names: Sequence[str]) -> Keys:
        """The key of the question, and of its answer by each of `names`.

        The question is the canonical JSON of messages, sampling, schema and draw. The answer's key covers model,
        endpoint and parameters as well, and nothing else: one new row costs one call.

        Raises:
            RunError: the prompt cannot be encoded.
        """
        messages = _messages_json(prompt.messages)
        sampling, schema = self._sampling(prompt.sampling), self._schema(prompt.schema)
        # Canonical JSON has its members in the order of their names.
        question = f'{{"draw":{prompt.draw},"messages":{messages},"sampling":{sampling},"schema":{schema}}}'
        answers = (
            f'{{"draw":{prompt.draw},"endpoint":{who.endpoint},"messages":{messages},"model":{who.model},'
            f'"parameters":{who.parameters},"sampling":{sampling},"schema":{schema}}}'
            for who in map(self._answering.__getitem__, names)
        )
        try:
            return Keys(_hash(question), tuple(map(_hash, answers)))
        except UnicodeEncodeError as error:
            raise RunError(
                f"the prompt of the task {prompt.task!r} about {prompt.subject!r} holds a lone surrogate, half of a "
                "character, which cannot be sent",
                remedy="see where the text comes from: the news, the template, or an option",
            ) from error


@attrs.frozen
class _Answering:
    """Who answers; every member is canonical JSON."""

    endpoint: str
    model: str
    parameters: str

    @classmethod
    def of(cls, identity: Identity) -> Self:
        parts = (identity.endpoint, identity.model, dict(identity.parameters))
        return cls(*map(canonical_json, parts))


class SameAgain(Generic[T]):
    """A function's result, kept as long as the very same object comes again, as one schema does for a whole round."""

    def __init__(self, function: Callable[[object], T]) -> None:
        self._function = function
        self._last: tuple[object, T] | None = None

    def __call__(self, value: object) -> T:
        last = self._last  # read and written as a whole: several threads may ask
        if last is None or last[0] is not value:
            last = self._last = (value, self._function(value))
        return last[1]


def answer_key(prompt: Prompt, identity: Identity) -> bytes:
    """blake2b of the canonical JSON of messages, model, endpoint, parameters, sampling, schema and draw.

    Recordings (`replay`) are looked up by task and subject, so for those the prompt's own words decide nothing; they
    are part of the key all the same, so that a changed prompt is never answered in silence from an old row.
    """
    return KeyMaker({"": identity}).keys(prompt, ("",)).answers[0]


def question_key(prompt: Prompt) -> bytes:
    """blake2b of the canonical JSON of messages, sampling, schema and draw: what was asked, whoever answered."""
    return KeyMaker({}).keys(prompt, ()).question


def identity_text(identity: Identity) -> str:
    """The canonical JSON of model, endpoint and parameters: who answered, as rows keep it."""
    answering = {"model": identity.model, "endpoint": identity.endpoint, "parameters": dict(identity.parameters)}
    return canonical_json(answering)


def _sampling_json(sampling: object) -> str:
    assert isinstance(sampling, Sampling)
    # Written out: `attrs.asdict` takes as long as the encoding.
    return canonical_json(
        {"max_tokens": sampling.max_tokens, "temperature": sampling.temperature, "top_p": sampling.top_p}
    )


def _messages_json(messages: Sequence[Message]) -> str:
    """Canonical JSON; of plain texts orjson makes the same, several times as quick."""
    chat = [(message.role, message.content) for message in messages]
    try:
        return orjson.dumps(chat).decode()
    except TypeError:  # half of a surrogate pair
        return canonical_json(chat)


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=20).digest()
