"""`genre store`: what was paid once. Count it, look at it, share it, delete some of it."""

import json
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs
import click

from genre.cli.context import FILE, print_json, store_path
from genre.cli.context import as_json as json_option
from genre.errors import UsageError, nearest
from genre.untrusted import harmless

if TYPE_CHECKING:
    from genre.generation import AnswerStore
    from genre.generation.store import State, StoredAnswer, Totals

_UNITS: Final = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}

only_task = click.option("--task", help="Answers of this task only.")
only_generator = click.option("--generator", help="Answers of this generator instance only.")


@click.group()
def store() -> None:
    """The answer store: count what was paid, look at it, share it, delete some of it."""


@store.command("stats")
@store_path
@json_option
def stats_command(store: Path, as_json: bool) -> None:
    """Count answers, tokens and cost by task, generator, model and state."""
    from genre.generation.superseded import superseded_total

    with _opened(store) as answers:
        totals = answers.totals()
        superseded = superseded_total(answers)
    first = min((each.first for each in totals if each.first is not None), default=None)
    last = max((each.last for each in totals if each.last is not None), default=None)
    size = sum(file.stat().st_size for file in (store, store.with_name(f"{store.name}-wal")) if file.is_file())
    if as_json:
        rows = [_totals_json(each) for each in totals]
        times = {"first": _iso(first), "last": _iso(last)}
        print_json({"store": str(store), "bytes": size, **times, "rows": rows, "superseded": attrs.asdict(superseded)})
        return
    _print_totals(totals)
    if superseded.answers:
        cost = "unknown" if superseded.cost is None else f"{superseded.cost:.6f}"
        click.echo(f"set aside by retries: {superseded.answers:,} answers, cost in USD: {cost}")
    click.echo(f"{store}: {size:,} bytes, first answer {_iso(first) or 'unknown'}, last {_iso(last) or 'unknown'}")


@store.command("show")
@click.option("--task", help="With --subject: the task that asked.")
@click.option("--subject", help="With --task: the id of the news or the reader that was asked about.")
@click.option("--draw", type=click.IntRange(0, 2**63 - 1), help="This draw only.")
@click.option("--key", metavar="HEX", help="One answer by its key, as quarantine.jsonl has it.")
@store_path
@json_option
def show_command(
    task: str | None, subject: str | None, draw: int | None, key: str | None, store: Path, as_json: bool
) -> None:
    """Show all that is stored of an answer, with the raw text; whatever a terminal would obey is escaped."""
    by_subject = (task, subject, draw)
    if (key is None and None in by_subject[:2]) or (key is not None and by_subject != (None, None, None)):
        raise click.UsageError("name --task and --subject, or --key")
    with _opened(store) as answers:
        rows = list(answers.rows(task=task, subject=subject, draw=draw, key=None if key is None else _key(key)))
        if not rows:
            _check_known(answers, task=task)
            raise UsageError("there is no such answer", where=store, remedy="see `genre store stats`")
    described = [_describe(row) for row in rows]
    if as_json:
        print_json(described)
        return
    for number, fields in enumerate(described):
        text = str(fields.pop("text"))
        lines = [f"{name.replace('_', ' ')}: {_shown(value)}" for name, value in fields.items()]
        click.echo(("\n" if number else "") + "\n".join(lines) + "\ntext:")
        click.echo("\n".join(f"  {harmless(line)}" for line in text.split("\n")))


@store.command("export")
@click.option("--out", type=FILE, required=True, help="A file that ends with .jsonl or .jsonl.gz.")
@only_task
@only_generator
@click.option("--model", help="Answers of this model only, as the provider names it.")
@click.option("--superseded", is_flag=True, help="All answers that retries set aside, instead of those that count.")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@store_path
def export_command(
    out: Path, task: str | None, generator: str | None, model: str | None, superseded: bool, force: bool, store: Path
) -> None:
    """Write answers as JSON lines, from which the generator `replay` answers the same prompts again."""
    from genre.generation.exports import write_export
    from genre.generation.superseded import superseded_answers

    if superseded and (task, generator, model) != (None, None, None):
        raise click.UsageError("--superseded goes with none of --task, --generator and --model")
    with _opened(store) as answers:
        if out.exists() and out.samefile(store):
            raise UsageError("the export would replace the store", where=out, remedy="name another file")
        _check_known(answers, task=task, generator=generator, model=model)
        chosen = answers.rows(task=task, generator=generator, model=model)
        report = write_export(superseded_answers(answers) if superseded else chosen, out, force=force)
    click.echo(f"{out}: {report.answers:,} answers")
    if report.failed:
        click.echo(f"left out: {report.failed:,} failed calls, which are no answers")
    if report.without_question:
        click.echo(f"{report.without_question:,} answers of an earlier version can be replayed by subject only")


@store.command("prune")
@click.option("--state", type=click.Choice(["failed", "refused", "truncated"]), help="Answers of this state only.")
@only_task
@only_generator
@click.option("--older-than", metavar="AGE", help="Answers stored before: 12h, 30d, 8w.")
@click.option("--dry-run", is_flag=True, help="Tell what would be deleted, and delete nothing.")
@click.option("--yes", is_flag=True, help="Delete. What is deleted has to be paid again when it is asked again.")
@store_path
def prune_command(
    state: "State | None",
    task: str | None,
    generator: str | None,
    older_than: str | None,
    dry_run: bool,
    yes: bool,
    store: Path,
) -> None:
    """Delete answers for good: those that meet all of the options."""
    from genre.errors import RunError

    if state is None and task is None and generator is None and older_than is None:
        raise UsageError(
            "nothing says which answers to delete", remedy="name --state, --task, --generator or --older-than"
        )
    before = None if older_than is None else max(0, int(datetime.now(UTC).timestamp()) - parse_age(older_than))
    with _opened(store) as answers:
        _check_known(answers, task=task, generator=generator)
        really = yes and not dry_run
        chosen = answers.prune if really else answers.totals
        totals = chosen(state=state, task=task, generator=generator, stored_before=before)
        ageless = sum(each.ageless for each in answers.totals(state=state, task=task, generator=generator))
        if ageless and before is not None:
            click.echo(f"{ageless:,} answers of unknown age, which an earlier version stored, are kept")
        count = sum(each.answers for each in totals)
        if not count:
            click.echo("there is nothing to delete")
            return
        _print_totals(totals)
        click.echo(f"{'deleted' if really else 'would be deleted'}: {count:,} answers, cost in USD: {_cost(totals)}")
        if really:
            try:
                answers.vacuum()
            except RunError as error:
                click.echo(f"the file keeps its size for now: {error.message}", err=True)
        elif not dry_run:
            raise UsageError("nothing was deleted", remedy="add --yes to delete these answers")


def parse_age(text: str) -> int:
    """Seconds of an age such as `30d`.

    Raises:
        UsageError: it is no whole number with a unit.
    """
    found = re.fullmatch(r"([0-9]{1,9})([mhdw])", text)
    if found is None:
        raise UsageError(
            f"{text!r} is not an age", where="--older-than", remedy="write 90m (minutes), 12h, 30d or 8w (weeks)"
        )
    return int(found[1]) * _UNITS[found[2]]


@contextmanager
def _opened(path: Path) -> "Iterator[AnswerStore]":
    """The store, which must exist."""
    from genre.generation import AnswerStore

    if not path.is_file():
        raise UsageError(
            "there is no answer store here",
            where=path.absolute(),
            remedy="name one with --store, or call this where you enrich; the first enrichment makes a store",
        )
    with closing(AnswerStore(path)) as answers:
        yield answers


def _check_known(answers: "AnswerStore", **wanted: str | None) -> None:
    """Answer a misspelt task, generator or model with the nearest one that the store has."""
    totals = answers.totals()
    for name, value in wanted.items():
        known = {str(getattr(each, name)) for each in totals}
        if value is not None and value not in known:
            raise UsageError(
                f"there is no answer of the {name} {value!r}", where=answers.path, remedy=nearest(value, known)
            )


def _key(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise UsageError(
            f"{text!r} is not a key", where="--key", remedy="copy the field `key` out of quarantine.jsonl"
        ) from error


def _describe(answer: "StoredAnswer") -> dict[str, object]:
    from genre.generation.exports import identity_json

    usage = answer.completion.usage
    return {
        "key": answer.key.hex(),
        "question": None if answer.question is None else answer.question.hex(),
        "task": answer.task,
        "subject": answer.subject,
        "draw": answer.draw,
        "state": answer.state,
        "model": answer.completion.model,
        "generator": answer.generator,
        "endpoint": answer.endpoint,
        "identity": identity_json(answer.identity),
        "template": answer.template,
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "cost": answer.cost,
        "stored_at": _iso(answer.stored_at),
        "text": answer.completion.text,
    }


def _shown(value: object) -> str:
    if value is None or value == "":
        return "unknown"
    return harmless(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _iso(seconds: int | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def _totals_json(totals: "Totals") -> dict[str, object]:
    return {**attrs.asdict(totals), "first": _iso(totals.first), "last": _iso(totals.last)}


def _print_totals(totals: "Sequence[Totals]") -> None:
    from rich.table import Table
    from rich.text import Text

    from genre.cli.narrow import show
    from genre.cli.tables import output

    table = Table(box=None, header_style="bold")
    for name in ("task", "generator", "model", "state"):
        table.add_column(name, overflow="fold")
    for name in ("answers", "prompt tokens", "completion tokens", "cost in USD"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in totals:
        names = (Text(harmless(name)) for name in (each.task, each.generator, each.model, each.state))
        tokens = (
            "unknown" if count is None else f"{count:,}" for count in (each.prompt_tokens, each.completion_tokens)
        )
        table.add_row(*names, f"{each.answers:,}", *tokens, _cost([each]))
    show(output(), table)


def _cost(totals: "Sequence[Totals]") -> str:
    """The sum of what is known, and how many answers' cost is not; an unknown cost never reads 0."""
    known = [each.cost for each in totals if each.cost is not None]
    unknown = sum(each.unknown_costs for each in totals)
    if not known:
        return "unknown"
    return f"{math.fsum(known):.6f}" + (f" + {unknown:,} unknown" if unknown else "")
