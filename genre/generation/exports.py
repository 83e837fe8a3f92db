"""Exports of the answer store: JSON lines that anybody can read, and that `replay` answers from.

What was asked stands in a line as a hash (`question`), so an export answers the very same prompts and no others. Lines
hold no clock time and stand in a fixed order: equal stores give equal files, byte for byte.
"""

import gzip
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, TypeGuard, TypeVar, cast, get_args

import attrs

from genre.errors import UsageError
from genre.generation.store import State, StoredAnswer
from genre.staging import check_place, staged_file

T = TypeVar("T")

EXPORT_FORMAT: Final = 1
SUFFIXES: Final = (".jsonl", ".jsonl.gz")
_MARKS: Final = frozenset({"format", "question", "state", "text"})
"""Fields by which a line of an export is told from a recording of another kind."""
_QUESTION: Final = re.compile(r"[0-9a-f]{40}")
_COMPRESSION: Final = 6
"""Stated, since Python's default may change and the bytes should not."""


@attrs.frozen
class ExportedAnswer:
    """What a line of an export says, as far as an answer can be given again from it.

    Attributes:
        question: hash of what was asked, in hexadecimal digits; None where that was not stored.
        text: the raw answer; for a refused call the reason.
    """

    question: str | None
    task: str
    subject: str
    draw: int
    state: State
    text: str
    model: str


@attrs.frozen
class ExportReport:
    """What an export holds.

    Attributes:
        answers: lines written.
        failed: failed calls, which are no answers and were left out.
        without_question: lines that can be found by subject only, since an earlier version stored them.
    """

    answers: int = 0
    failed: int = 0
    without_question: int = 0


def export_line(answer: StoredAnswer) -> str:
    """One line of JSON, in ASCII: no reader of lines stumbles over it, and no terminal obeys it."""
    usage = answer.completion.usage
    line = {
        "format": EXPORT_FORMAT,
        "question": None if answer.question is None else answer.question.hex(),
        "task": answer.task,
        "subject": answer.subject,
        "draw": answer.draw,
        "state": answer.state,
        "text": answer.completion.text,
        "model": answer.completion.model,
        "generator": answer.generator,
        "identity": identity_json(answer.identity),
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "cost": answer.cost,
        "template": answer.template,
    }
    return json.dumps(line, separators=(",", ":"))


def identity_json(identity: str) -> object:
    """A row's identity as JSON: None where it is unknown, and a text that is no JSON as it is."""
    try:
        return json.loads(identity) if identity else None
    except (ValueError, RecursionError):
        return identity


def is_export_row(row: object) -> bool:
    """Whether a parsed line of JSON comes out of an export, of whichever format."""
    return isinstance(row, dict) and row.keys() >= _MARKS


def exported_answer(row: Mapping[str, object], where: str) -> ExportedAnswer:
    """A parsed line of JSON as an answer; fields that it need not have are not looked at.

    Raises:
        UsageError: it is no line of an export, is of a later format, or a field is wrong. Names the field.
    """
    if not is_export_row(row):
        missing = ", ".join(sorted(_MARKS - row.keys()))
        raise UsageError(
            f"not a line of an export: it does not have {missing}",
            where=where,
            remedy="name files that `genre store export` wrote",
        )
    if row["format"] != EXPORT_FORMAT or isinstance(row["format"], bool):
        raise UsageError(
            f"an export of format {row['format']!r}, and this version reads format {EXPORT_FORMAT}",
            where=where,
            remedy="export it again with this version, or install the version that wrote it",
        )
    return ExportedAnswer(
        task=_field(row, "task", _is_text, where),
        subject=_field(row, "subject", _is_text, where),
        text=_field(row, "text", _is_text, where),
        model=_field(row, "model", _is_text, where),
        question=_field(row, "question", _is_question, where),
        draw=_field(row, "draw", _is_draw, where),
        state=_field(row, "state", _is_state, where),
    )


def _field(row: Mapping[str, object], name: str, is_right: Callable[[object], TypeGuard[T]], where: str) -> T:
    value = row.get(name)
    if not is_right(value):
        raise UsageError(f"the field {name!r} is wrong", where=where, remedy="mend or remove the line")
    return value


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str)


def _is_question(value: object) -> TypeGuard[str | None]:
    return value is None or (isinstance(value, str) and _QUESTION.fullmatch(value) is not None)


def _is_draw(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_state(value: object) -> TypeGuard[State]:
    return value in get_args(State)


def check_export_path(path: Path, *, force: bool) -> None:
    """Refuse a file that an export may not be written to.

    Raises:
        UsageError: its name says another kind of file, or it exists and `force` is not set.
    """
    if not path.name.endswith(SUFFIXES):
        raise UsageError(
            "an export's name ends with .jsonl or .jsonl.gz", where=path, remedy=f"for example {path.name}.jsonl.gz"
        )
    if path.exists() and not force:
        raise UsageError("the file exists", where=path, remedy="name another file, or add --force to replace it")


def write_export(answers: Iterable[StoredAnswer], path: Path, *, force: bool = False) -> ExportReport:
    """Write answers to `path`, whole or not at all; gzip where its name ends with `.gz`.

    Failed calls are left out. No file is written when nothing is left.

    Args:
        answers: read one at a time.
        path: a file whose name ends with `.jsonl` or `.jsonl.gz`.
        force: replace a file that exists.

    Raises:
        UsageError: the file may not be written, see `check_export_path`, or there is no answer to write.
        RunError: the disk is full, or the store cannot be read; there is no file then.
    """
    check_export_path(path, force=force)
    check_place(path, "export")
    report = ExportReport()
    with staged_file(path, "export") as staging:
        with staging.open("wb") as raw, _compressed(raw, path) as file:
            for answer in answers:
                if not answer.is_final:
                    report = attrs.evolve(report, failed=report.failed + 1)
                    continue
                file.write(export_line(answer).encode() + b"\n")
                unknown = report.without_question + (answer.question is None)
                report = attrs.evolve(report, answers=report.answers + 1, without_question=unknown)
        if not report.answers:
            failed = f"; {report.failed:,} failed calls are no answers" if report.failed else ""
            raise UsageError(f"there is no such answer to export{failed}", remedy="see `genre store stats`")
        check_export_path(path, force=force)  # the file may have come into being meanwhile
    return report


@contextmanager
def _compressed(raw: IO[bytes], path: Path) -> Iterator[IO[bytes]]:
    if path.suffix != ".gz":
        yield raw
        return
    # Neither name nor time in the header: they would make equal exports differ.
    with gzip.GzipFile(filename="", mode="wb", compresslevel=_COMPRESSION, fileobj=raw, mtime=0) as file:
        yield cast(IO[bytes], file)
