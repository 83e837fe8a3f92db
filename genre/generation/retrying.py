"""Retrying the quarantine: what lies in it is asked anew, and everything else comes from the store."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import attrs

from genre.errors import UsageError
from genre.generation.prepare import PreparedRound
from genre.generation.records import QUARANTINE
from genre.generation.rounds import round_folder
from genre.generation.store import AnswerStore
from genre.generation.superseded import set_aside


@attrs.frozen
class _Line:
    """What a line of a quarantine says, as far as a retry needs it."""

    subject: str
    draw: int
    key: bytes
    text: str
    retry: int | None


def retrying(rounds: Sequence[PreparedRound], folder: Path, store: AnswerStore) -> list[PreparedRound]:
    """The rounds, with all that lies in their quarantine ready to be asked anew.

    The last unusable answer of each prompt is set aside. Of a prompt that was asked several times, the last question is
    asked anew: the answers before it stay, and may be of use to other prompts.

    Args:
        folder: where an earlier run of these rounds kept their quarantine.

    Raises:
        UsageError: none of them has been run, or a quarantine cannot be read.
    """
    places = [round_folder(folder, number, prepared) / QUARANTINE for number, prepared in enumerate(rounds)]
    if not any(place.is_file() for place in places):
        raise UsageError(
            "there is no quarantine to retry", where=folder, remedy="run this without --retry-quarantined first"
        )
    found = [list(_lines(place)) if place.is_file() else [] for place in places]
    # One round after another: a mistake in any of the files is told before anything is set aside.
    return [_with_retries(prepared, lines, store) for prepared, lines in zip(rounds, found, strict=True)]


def _with_retries(prepared: PreparedRound, lines: Sequence[_Line], store: AnswerStore) -> PreparedRound:
    numbers = set_aside(store, [(line.key, line.text, line.retry) for line in lines])
    retries = {(line.subject, line.draw): number for line, number in zip(lines, numbers, strict=True)}
    return attrs.evolve(prepared, retries=retries)


def _lines(path: Path) -> Iterator[_Line]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                yield _line(line, f"{path}:{number}")
    except OSError as error:
        raise UsageError(f"the quarantine cannot be read: {error}", where=path, remedy="check the file") from error


def _line(line: bytes, where: str) -> _Line:
    try:
        row = json.loads(line)
        values = (row["subject"], row["draw"], bytes.fromhex(row["key"]), row["text"], row.get("retry"))
    except (ValueError, RecursionError, TypeError, LookupError) as error:
        raise UsageError("not a line of a quarantine", where=where, remedy="remove the line") from error
    if not all(isinstance(value, kind) for value, kind in zip(values, _KINDS, strict=True)):
        raise UsageError("not a line of a quarantine", where=where, remedy="remove the line")
    return _Line(*values)


_KINDS: Final = (str, int, bytes, str, int | None)
