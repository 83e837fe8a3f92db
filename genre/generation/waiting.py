"""Prompts whose answer cannot be used, on disk until all others are answered: a round of any size fits into memory."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import attrs

from genre.generation.asking import AskAgain
from genre.generation.judging import Judgement, Problem
from genre.generation.store import StoredAnswer
from genre.parts import Json, Message, Prompt, Sampling
from genre.staging import writing


@attrs.frozen
class Unusable:
    """An answer that cannot be used, as far as it is needed once the next one is there.

    Attributes:
        reason, problem, detail: as in `Judgement`.
        text: of the answer, as the store keeps it.
        key: of the answer in the store, in hexadecimal digits.
        earlier: reasons of the answers before it, to the same prompt in the same round.
    """

    reason: str
    problem: Problem
    detail: str
    text: str
    key: str
    generator: str
    model: str
    earlier: tuple[str, ...] = ()

    @classmethod
    def of(cls, answer: StoredAnswer, judgement: Judgement, before: "Unusable | None") -> "Unusable":
        """What is kept of an answer with a reason."""
        assert judgement.reason is not None
        assert judgement.problem is not None
        return cls(
            reason=judgement.reason,
            problem=judgement.problem,
            detail=judgement.detail,
            text=answer.completion.text,
            key=answer.key.hex(),
            generator=answer.generator,
            model=answer.completion.model,
            earlier=() if before is None else (*before.earlier, before.reason),
        )


@attrs.frozen
class Asked:
    """A prompt of a round on its way to a record.

    Attributes:
        position: its number among the round's prompts, from 0.
        prompt: as the prompter made it.
        last: the last answer, which cannot be used; None before the first one.
    """

    position: int
    prompt: Prompt
    last: Unusable | None = None

    def question(self, again: AskAgain) -> Prompt:
        """What is asked now: the prompt, or the prompt with its last answer and what is wrong with it."""
        last = self.last
        return self.prompt if last is None else again.prompt(self.prompt, last.text, last.problem, last.detail)


class WaitingList:
    """Prompts in a file, written and then read in the same order; the file is gone at the end.

    Args:
        path: the file; what was there before is replaced.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None
        self._schema: Mapping[str, Json] | None = None
        self.length = 0

    def __enter__(self) -> Self:
        with writing(self._path, "list of prompts to ask again"):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("w", encoding="ascii")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._file is not None
        with suppress(OSError):  # of what is thrown away
            self._file.close()
        self._path.unlink(missing_ok=True)

    def add(self, asked: Asked) -> None:
        """Write one; its schema only where it is not that of the prompt before, as it is in most rounds."""
        assert self._file is not None
        row = attrs.asdict(asked)
        if asked.prompt.schema is self._schema:
            del row["prompt"]["schema"]
        self._schema = asked.prompt.schema
        with writing(self._path, "list of prompts to ask again"):
            self._file.write(json.dumps(row) + "\n")
        self.length += 1

    def read(self) -> Iterator[Asked]:
        """All of them, one at a time."""
        assert self._file is not None
        with writing(self._path, "list of prompts to ask again"):
            self._file.flush()
        schema: Mapping[str, Json] | None = None
        with self._path.open(encoding="ascii") as file:
            for line in file:
                row: dict[str, Any] = json.loads(line)
                # The same object as long as it is the same: the engine writes its JSON once then.
                schema = row["prompt"].setdefault("schema", schema)
                yield Asked(row["position"], prompt_of(row["prompt"]), _unusable(row["last"]))


def prompt_of(row: Mapping[str, object]) -> Prompt:
    """The prompt that `attrs.asdict` made plain data of."""
    values: dict[str, Any] = dict(row)
    messages = tuple(Message(**message) for message in values.pop("messages"))
    return Prompt(messages=messages, sampling=Sampling(**values.pop("sampling")), **values)


def _unusable(row: dict[str, Any] | None) -> Unusable | None:
    return None if row is None else Unusable(earlier=tuple(row.pop("earlier")), **row)
