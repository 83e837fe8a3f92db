"""`genre prompts`: which prompts there are, how they read on real rows, and what a generator makes of them."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NotRequired, TypedDict, TypeVar, Unpack

import click
from rich.table import Table
from rich.text import Text

from genre.cli.context import FILE, FOLDER, generator_name, option_pairs, registry_of, store_path
from genre.cli.context import as_json as json_option
from genre.errors import UsageError, nearest
from genre.untrusted import UNSAFE, harmless_lines

if TYPE_CHECKING:
    from genre.dataset import Dataset
    from genre.experiments.prompts import PromptSample, TaskPrompt, Trial, VersionSummary
    from genre.parts import Message, Prompt
    from genre.registry import Registry

Command = TypeVar("Command", bound=Callable[..., object])

COLUMN_WIDTH: Final = 34
"""Versions stand side by side as long as each has so many columns of the terminal."""
_WHOLE: Final = ("task", "version")
"""Columns that are not broken on a narrow terminal."""
_OPTIONS: Final = (
    click.argument("folder", metavar="DATA", type=FOLDER),
    click.option("--task", help="The task that asks; `genre prompts list` has them all."),
    click.option(
        "--sample", type=click.IntRange(min=1), default=5, show_default=True, help="How many news or readers are drawn."
    ),
    click.option("--subject", metavar="ID", help="This news, reader or user, in place of a draw."),
    click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the draw."),
    option_pairs,
    click.option(
        "templates", "--template", multiple=True, type=FILE, help="A chat template; several are set side by side."
    ),
)


class _Drawn(TypedDict):
    """Whom is asked about, and by which prompts, as `sample_prompts` takes it."""

    sample: int
    subject: str | None
    seed: int
    templates: tuple[Path, ...]
    generator: NotRequired[str | None]


class Asked(_Drawn):
    """What the options of both commands say."""

    task: str | None
    options: tuple[str, ...]


def _sampling_options(command: Command) -> Command:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.group()
def prompts() -> None:
    """Prompts: list them, read them on real rows, try versions of them."""


@prompts.command("list")
@json_option
@click.pass_context
def list_command(ctx: click.Context, as_json: bool) -> None:
    """List tasks with their prompter, template, the template's version, generator and gates."""
    import attrs

    from genre.experiments.prompts import list_prompts

    found = list_prompts(registry_of(ctx))
    if as_json:
        _print_json([{**attrs.asdict(task), "template": _path(task.template)} for task in found])
    else:
        _print_tasks(found)


@prompts.command("show")
@_sampling_options
@json_option
@click.pass_context
def show_command(ctx: click.Context, /, folder: Path, as_json: bool, **asked: Unpack[Asked]) -> None:
    """Render a task's prompt on news or readers of the data set in DATA. Nothing is asked."""
    _, samples = _sampled(registry_of(ctx), folder, **asked)
    if as_json:
        _print_json({**_head_json(samples), "versions": [_sample_json(sample) for sample in samples]})
        return
    _print_heads(samples)
    _print_subjects(samples, None)


@prompts.command("try")
@_sampling_options
@generator_name
@store_path
@json_option
@click.pass_context
def try_command(ctx: click.Context, /, folder: Path, store: Path, as_json: bool, **asked: Unpack[Asked]) -> None:
    """Ask a generator for just these prompts, and show what a round would make of the answers.

    Answers go into the store: the same prompt is never paid twice, here or in a run.
    """
    from genre.cli.progress import TerminalObserver
    from genre.experiments.prompts import summarize_version, try_prompts

    registry = registry_of(ctx)
    dataset, samples = _sampled(registry, folder, **asked)
    with TerminalObserver() as observer:
        trials = try_prompts(registry, dataset, samples, store=store, observer=observer)
    summaries = [summarize_version(sample, tried) for sample, tried in zip(samples, trials, strict=True)]
    if as_json:
        versions = [_sample_json(sample, tried) for sample, tried in zip(samples, trials, strict=True)]
        head = {**_head_json(samples), "generator": samples[0].prepared.generator_name}
        _print_json({**head, "versions": versions, "summary": [_summary_json(each) for each in summaries]})
        return
    _print_heads(samples)
    _print_subjects(samples, trials)
    _print_summaries(summaries)


def _sampled(
    registry: "Registry", folder: Path, *, task: str | None, options: tuple[str, ...], **asked: Unpack[_Drawn]
) -> tuple["Dataset", list["PromptSample"]]:
    from genre.dataset import load_dataset
    from genre.experiments import options_from
    from genre.experiments.prompts import sample_prompts

    if task is None:
        known = [entry.part.name for entry in registry.parts("task") if entry.enabled]
        raise UsageError("no task is named", where="--task", remedy=f"add --task NAME; {nearest('', known)}")
    registry.task(task)  # a wrong name is told before a large data set is read
    dataset = load_dataset(folder)
    return dataset, sample_prompts(registry, dataset, task, options=options_from(options), **asked)


def _print_json(value: object) -> None:
    """JSON whose texts cannot steer a terminal either: the same characters are escaped, which JSON allows."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    click.echo(UNSAFE.sub(lambda found: json.dumps(found[0])[1:-1], text))


def _path(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _head_json(samples: Sequence["PromptSample"]) -> dict[str, object]:
    task = samples[0].prepared.task
    return {"task": task.name, "prompter": task.prompter}


def _sample_json(sample: "PromptSample", trials: Sequence["Trial"] | None = None) -> dict[str, object]:
    rows = [_prompt_json(prompt) for prompt in sample.prompts]
    if trials is not None:
        rows = [{**row, "answer": _trial_json(trial)} for row, trial in zip(rows, trials, strict=True)]
    return {"template": _path(sample.template), "version": sample.version, "prompts": rows}


def _prompt_json(prompt: "Prompt") -> dict[str, object]:
    import attrs

    from genre.generation.tokens import estimated_tokens

    return {
        "subject": prompt.subject,
        "user": prompt.user,
        "draw": prompt.draw,
        "messages": [attrs.asdict(message) for message in prompt.messages],
        "sampling": attrs.asdict(prompt.sampling),
        "schema": prompt.schema,
        "estimated_tokens": estimated_tokens(prompt),
    }


def _trial_json(trial: "Trial") -> dict[str, object]:
    answer = trial.answer
    return {
        "state": "skipped" if answer is None else answer.state,
        "text": trial.text,
        "model": answer and answer.completion.model,
        "generator": answer and answer.generator,
        "stored": trial.reused,
        "prompt_tokens": answer and answer.completion.usage.prompt_tokens,
        "completion_tokens": answer and answer.completion.usage.completion_tokens,
        "record": trial.record,
        "unusable": trial.reason,
        "gates": dict(trial.gates),
    }


def _summary_json(summary: "VersionSummary") -> dict[str, object]:
    import attrs

    return {**attrs.asdict(summary), "template": _path(summary.template)}


def _table(*names: str, title: str | None = None) -> Table:
    table = Table(box=None, title=title, title_justify="left", title_style="bold", header_style="bold", pad_edge=False)
    for name in names:
        table.add_column(Text(harmless_lines(name)), overflow="fold", no_wrap=name in _WHOLE)
    return table


def _print_tasks(tasks: Sequence["TaskPrompt"]) -> None:
    from genre.cli.tables import output

    console = output()
    table = _table("task", "prompter", "template", "version", "generator", "gates")
    for task in tasks:
        template = task.template.name if task.template else "-"
        cells = (template, task.version or "-", task.generator or "-", ", ".join(task.gates) or "-")
        table.add_row(*(Text(harmless_lines(cell)) for cell in (task.task, task.prompter, *cells)))
    console.print(table)
    for task in tasks:
        if task.problem is not None:
            console.print(Text(harmless_lines(f"{task.task} cannot be used: {task.problem}"), style="yellow"))


def _print_heads(samples: Sequence["PromptSample"]) -> None:
    """What all prompts of a version share: template, version, sampling, schema."""
    from genre.cli.tables import output

    task = samples[0].prepared.task
    table = _table("", "", title=f"{task.name}: {task.summary}")
    table.show_header = False
    rows = [("prompter", task.prompter), ("generator", samples[0].prepared.generator_name)]
    for sample in samples:
        rows += [("template", f"{_path(sample.template) or '-'}  (version {sample.version or '-'})")]
    shared = dict.fromkeys(pair for sample in samples for pair in _terms(sample.prompts[0]))
    for name, value in (*rows, *shared):
        table.add_row(Text(name, style="dim"), Text(harmless_lines(value)))
    output().print(table)


def _terms(prompt: "Prompt") -> list[tuple[str, str]]:
    """On what terms an answer is asked for."""
    sampling = prompt.sampling
    drawn = f"max_tokens {sampling.max_tokens}, temperature {sampling.temperature:g}, top_p {sampling.top_p:g}"
    schema = "free text" if prompt.schema is None else json.dumps(prompt.schema, ensure_ascii=False)
    return [("sampling", drawn), ("schema", schema)]


def _print_subjects(samples: Sequence["PromptSample"], trials: Sequence[Sequence["Trial"]] | None) -> None:
    """A table for each subject, and in it a column for each version."""
    from genre.cli.tables import output

    console = output()
    many = max(1, (console.width - 10) // COLUMN_WIDTH)
    for subject in dict.fromkeys(prompt.subject for sample in samples for prompt in sample.prompts):
        console.print()
        console.rule(Text(harmless_lines(subject), style="bold"), align="left")
        for start in range(0, len(samples), many):
            shown = samples[start : start + many]
            columns = [dict(_prompt_cells(sample, subject)) for sample in shown]
            for index, column in enumerate(columns if trials is not None else ()):
                assert trials is not None
                column.update(_trial_cells([each for each in trials[start + index] if each.prompt.subject == subject]))
            names = [_name(sample) for sample in shown]
            table = _table("", *names)
            table.show_header = len(samples) > 1
            for label in dict.fromkeys(label for column in columns for label in column):
                cells = (Text(harmless_lines(column.get(label, "-"))) for column in columns)
                table.add_row(Text(harmless_lines(label), style="cyan"), *cells)
            console.print(table)


def _name(sample: "PromptSample") -> str:
    return f"{sample.template.name if sample.template else '-'} {sample.version}"


def _prompt_cells(sample: "PromptSample", subject: str) -> Iterator[tuple[str, str]]:
    """The messages about a subject. Draws that ask in the same words are shown once."""
    from genre.generation.tokens import estimated_tokens

    asked: dict[tuple[Message, ...], list[Prompt]] = {}
    for prompt in sample.prompts:
        if prompt.subject == subject:
            asked.setdefault(prompt.messages, []).append(prompt)
    for alike in asked.values():
        first = alike[0]
        suffix = f" {first.draw}" if len(asked) > 1 else ""
        if first.user is not None:
            yield f"user id{suffix}", first.user
        if len(alike) > 1:
            yield f"draws{suffix}", ", ".join(str(prompt.draw) for prompt in alike)
        for message in first.messages:
            yield f"{message.role}{suffix}", message.content
        for name, value in _terms(first):
            if (name, value) not in _terms(sample.prompts[0]):
                yield f"{name}{suffix}", value
        yield f"tokens{suffix}", f"about {estimated_tokens(first):,} (an estimate: UTF-8 bytes / 4)"


def _trial_cells(trials: Sequence["Trial"]) -> Iterator[tuple[str, str]]:
    for trial in trials:
        suffix = f" {trial.prompt.draw}" if len(trials) > 1 else ""
        if trial.text is not None:
            yield f"answer{suffix}", trial.text
        if trial.record is not None:
            yield f"record{suffix}", json.dumps(trial.record, ensure_ascii=False)
        for gate, reason in trial.gates.items():
            yield f"{gate}{suffix}", "accepts" if reason is None else f"rejects: {reason}"
        yield f"usable{suffix}", "yes" if trial.usable else f"no, {trial.reason}"
        if trial.answer is not None:
            usage = trial.answer.completion.usage
            counts = (usage.prompt_tokens, usage.completion_tokens)
            read, written = ("unknown" if count is None else f"{count:,}" for count in counts)
            source = "from the store" if trial.reused else trial.answer.generator
            yield f"used{suffix}", f"tokens read {read}, written {written}; {source}"


def _print_summaries(summaries: Sequence["VersionSummary"]) -> None:
    from genre.cli.tables import output

    table = _table("template", "version", title="Versions")
    for name in ("answers", "calls", "usable", "mean length", f"distinct {summaries[0].property}"):
        table.add_column(Text(harmless_lines(name)), justify="right")
    for each in summaries:
        length = "-" if each.mean_length is None else f"{each.mean_length:,.0f}"
        counts = (f"{each.answers:,}", f"{each.calls:,}", f"{each.usable:,}", length, f"{each.distinct:,}")
        template = each.template.name if each.template else "-"
        table.add_row(Text(harmless_lines(template)), Text(harmless_lines(each.version)), *counts)
    output().print()
    output().print(table)
