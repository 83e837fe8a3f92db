"""`genre run` and `genre quickstart`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genre.cli.context import (
    FILE,
    FOLDER,
    budget_limit,
    cache_path,
    executor_name,
    print_json,
    registry_of,
    settings_changes,
    store_path,
)
from genre.cli.context import as_json as json_option
from genre.errors import UsageError, nearest

if TYPE_CHECKING:
    from genre.experiments import RunResult
    from genre.registry import Registry

run_folder = click.option("--out", type=FOLDER, help="The run folder.  [default: runs/NAME]")


@click.command()
@click.argument("experiment", type=FILE)
@settings_changes
@run_folder
@store_path
@cache_path
@budget_limit
@executor_name
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Trainings that run at once, each in a process of its own, where the executor says.",
)
@click.option(
    "trackers",
    "--tracker",
    multiple=True,
    metavar="NAME",
    help="Where figures are shown, too: `jsonl`, `tensorboard`, `mlflow`, or [trackers.NAME]; may be repeated.",
)
@json_option
@click.pass_context
def run(
    ctx: click.Context,
    experiment: Path,
    changes: tuple[str, ...],
    out: Path | None,
    store: Path,
    cache: Path,
    budget: str | None,
    executor: str | None,
    jobs: int,
    trackers: tuple[str, ...],
    as_json: bool,
) -> None:
    """Run the EXPERIMENT file: enrich each variant, train each baseline, write results.json."""
    from genre.cli.progress import TerminalObserver
    from genre.experiments import load_experiment, run_experiment
    from genre.generation import parse_budget

    plan = load_experiment(experiment, changes)
    limit = None if budget is None else parse_budget(budget)
    with TerminalObserver() as observer:
        result = run_experiment(
            plan,
            registry_of(ctx),
            folder=out,
            store=store,
            cache=cache,
            observer=observer,
            budget=limit,
            executor=executor,
            jobs=jobs,
            trackers=trackers,
        )
    _print_result(result, as_json=as_json)
    _write_report(result, as_json=as_json)


@click.command()
@settings_changes
@click.option(
    "--model",
    metavar="FILE|NAME",
    help="Who answers: a GGUF file for the embedded LLM, or an instance of [generators.NAME] in registry.toml.",
)
@run_folder
@store_path
@cache_path
@json_option
@click.pass_context
def quickstart(
    ctx: click.Context,
    changes: tuple[str, ...],
    model: str | None,
    out: Path | None,
    store: Path,
    cache: Path,
    as_json: bool,
) -> None:
    """Run the whole way once: a sample, the paper's enrichments by the embedded LLM, two recommenders, a table."""
    from genre.cli.progress import TerminalObserver
    from genre.experiments import quickstart as run_quickstart

    registry = registry_of(ctx)
    generator = None
    if model is not None:
        generator, change = _answering(registry, model)
        changes = (*changes, *change)
    with TerminalObserver() as observer:
        result = run_quickstart(
            registry, folder=out, store=store, cache=cache, changes=changes, observer=observer, generator=generator
        )
    _print_result(result, as_json=as_json)
    _write_report(result, as_json=as_json)


def _answering(registry: "Registry", model: str) -> tuple[str, tuple[str, ...]]:
    """The generator that `--model` means, and the change of its options: a file is the embedded LLM's."""
    if Path(model).is_file():
        return "local", (f"generators.local.model={json.dumps(str(Path(model).resolve()), ensure_ascii=False)}",)
    names = {*registry.settings.table("generators"), *(entry.part.name for entry in registry.parts("generator"))}
    if model not in names:
        raise UsageError(
            f"--model {model}: there is no such file, and no generator of that name",
            remedy=f"name a GGUF file, or a generator: {nearest(model, names)}",
        )
    return model, ()


def _print_result(result: "RunResult", *, as_json: bool) -> None:
    from genre.cli.tables import results_table, rounds_table

    if as_json:
        print_json({"rows": list(result.rows)})
        return
    rounds_table(result.rounds)
    results_table(result.rows)
    if result.reused_cells:
        click.echo(f"{result.reused_cells} finished trainings were not run again")
    click.echo(f"results: {result.folder / 'results.json'}")


def _write_report(result: "RunResult", *, as_json: bool) -> None:
    """Write the report where that is possible, or else tell what it needs. The run is done, and does not fail by it."""
    from genre.report import write_report

    try:
        line = f"report: {write_report(result.folder)}"
    except UsageError as error:
        line = f"no report: {error}"
    click.echo(line, err=as_json)
