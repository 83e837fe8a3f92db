"""The generator `replay`: answers that somebody recorded, looked up by subject, by user, or by what was asked."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Literal

import attrs
import jinja2
import jinja2.sandbox

from genre.errors import UsageError
from genre.generation.keys import question_key
from genre.parts import Completion, Fatal, Identity, Price, Prompt, Refused, Skipped
from genre_generators.recordings import Recordings, Row, is_export, read_export, read_recordings, state_of, stem


def _not_empty(_instance: object, attribute: "attrs.Attribute[tuple[Path, ...]]", value: tuple[Path, ...]) -> None:
    if not value:
        raise ValueError(f"{attribute.name} is empty: name at least one file of recordings")


@attrs.frozen
class ReplayOptions:
    """Options of the generator `replay`.

    Attributes:
        paths: JSONL files, plain or gzip (`.gz`). A row's draw is its field `draw`, or else the number of its file
            here, from 0. Of two rows for the same subject and draw the last one counts.
        subject_field: the field of a row that holds the id.
        by: what answers are looked up by: the prompt's subject, the user behind it, or the very question, as `genre
            store export` writes it. Default: by question where the first file is such an export, else by subject.
        answer: Jinja2 template that makes the answer out of a row's fields, such as
            `{"interests": {{ interest | tojson }} }`. What is looked up by question is answered as it was.
        on_miss: a prompt without a recording ends the run, or is left out and counted.
        leaks: the recordings were made from more than a prompt says; None: they are when they are looked up by user.
    """

    paths: tuple[Path, ...] = attrs.field(validator=_not_empty)
    subject_field: str = "id"
    by: Literal["subject", "user", "question"] | None = None
    answer: str = "{{ response }}"
    on_miss: Literal["error", "skip"] = "error"
    leaks: bool | None = None


class ReplayGenerator:
    """Answers from recordings, which are read at the first prompt.

    Raises:
        UsageError: a file is missing, or the answer's template is wrong.
    """

    def __init__(self, options: ReplayOptions) -> None:
        self._options = options
        self._by = options.by or ("question" if is_export(options.paths[0]) else "subject")
        self._template = _compile("{{ text }}" if self._by == "question" else options.answer)
        self._identity = Identity(
            model=f"replay:{'+'.join(stem(path) for path in options.paths)}@{_fingerprint(options, self._by)}",
            endpoint="recorded",
            leaks=self._by == "user" if options.leaks is None else options.leaks,
        )
        self._reading = asyncio.Lock()
        self._recordings: Recordings | None = None

    price = Price(0.0, 0.0)
    """What was recorded is paid."""

    @property
    def identity(self) -> Identity:
        """The files' names, and a hash of what they and the options say."""
        return self._identity

    async def complete(self, prompt: Prompt) -> Completion:
        """Look up one prompt's answer.

        Raises:
            Refused: the recorded call was refused.
            Skipped: there is none, and `on_miss` is `"skip"`.
            Fatal: there is none, or the row does not have what the template asks for.
            UsageError: a file of recordings is malformed.
        """
        async with self._reading:
            if self._recordings is None:
                self._recordings = await asyncio.to_thread(self._read)
        row = self._recordings.get((self._wanted(prompt), prompt.draw))
        if row is None or (state := state_of(row)) == "failed":
            raise self._miss(prompt)
        if state == "refused":
            raise Refused(str(row["text"]))
        model = row["model"] if isinstance(row.get("model"), str) and row["model"] else self._identity.model
        return Completion(self._answer(row, prompt), str(model), finish="length" if state == "truncated" else "stop")

    def _read(self) -> Recordings:
        paths = self._options.paths
        return read_export(paths) if self._by == "question" else read_recordings(paths, self._options.subject_field)

    def _wanted(self, prompt: Prompt) -> str:
        if self._by == "question":
            return question_key(prompt).hex()
        return prompt.subject if self._by == "subject" else prompt.user or ""  # no recording has an empty id

    def _miss(self, prompt: Prompt) -> Fatal | Skipped:
        advice = "add one"
        if self._by == "question":
            missing = f"no recording has this question about {prompt.subject!r}, draw {prompt.draw}, of {prompt.task}"
            advice = "only the same words, sampling and schema are answered: undo what changed, or record it"
        elif self._by == "user" and prompt.user is None:
            missing = f"the prompt about {prompt.subject!r} does not say which user is behind it"
        else:
            missing = f"there is no recording for the {self._by} {self._wanted(prompt)!r}, draw {prompt.draw}"
        if self._options.on_miss == "skip":
            return Skipped(missing)
        return Fatal(f'{missing}; {advice}, or set on_miss = "skip" to leave such prompts out')

    def _answer(self, row: Row, prompt: Prompt) -> str:
        try:
            return self._template.render(row)
        except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, AttributeError, LookupError) as error:
            raise Fatal(
                f"the option `answer` cannot be filled with the recording for {prompt.subject!r}: {error}; "
                f"its fields are: {', '.join(sorted(row))}"
            ) from error


def _compile(answer: str) -> jinja2.Template:
    environment = jinja2.sandbox.SandboxedEnvironment(undefined=jinja2.StrictUndefined, autoescape=False)
    # Jinja's own tojson is for HTML: it writes < & and ' as escapes.
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    try:
        return environment.from_string(answer)
    except jinja2.TemplateSyntaxError as error:
        raise UsageError(f"the option `answer` is not a Jinja2 template: {error.message}", remedy="mend it") from error


def _fingerprint(options: ReplayOptions, by: str) -> str:
    """Hash of what decides the answers: the files' content and how it is read."""
    digest = hashlib.blake2b(digest_size=8)
    digest.update(json.dumps([options.subject_field, by, options.answer]).encode())
    for path in options.paths:
        try:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, hashlib.blake2b).digest())
        except OSError as error:
            raise UsageError(
                f"the recordings cannot be read: {error.strerror}", where=path, remedy="check the path"
            ) from error
    return digest.hexdigest()
