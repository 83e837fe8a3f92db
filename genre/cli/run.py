"""`genre run` and `genre quickstart`."""

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
    store_path,
)
from genre.cli.context import as_json as json_option

if TYPE_CHECKING:
    from genre.experiments import RunResult

run_folder = click.option("--out", type=FOLDER, help="The run folder.  [default: runs/NAME]")
settings_changes = click.option(
    "changes", "--set", multiple=True, metavar="A.B=VALUE", help="Override a value of the experiment; may be repeated."
)


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
@click.option("--model", type=FILE, help="A GGUF file for the embedded LLM, in place of the packaged one.")
@run_folder
@store_path
@cache_path
@json_option
@click.pass_context
def quickstart(
    ctx: click.Context,
    changes: tuple[str, ...],
    model: Path | None,
    out: Path | None,
    store: Path,
    cache: Path,
    as_json: bool,
) -> None:
    """Run the whole way once: a sample, the paper's enrichments by the embedded LLM, two recommenders, a table."""
    from genre.cli.progress import TerminalObserver
    from genre.experiments import quickstart as run_quickstart

    if model is not None:
        changes = (*changes, f"generators.local.model='{model.resolve()}'")
    with TerminalObserver() as observer:
        result = run_quickstart(
            registry_of(ctx), folder=out, store=store, cache=cache, changes=changes, observer=observer
        )
    _print_result(result, as_json=as_json)
    _write_report(result, as_json=as_json)


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
    from genre.errors import UsageError
    from genre.report import write_report

    try:
        line = f"report: {write_report(result.folder)}"
    except UsageError as error:
        line = f"no report: {error}"
    click.echo(line, err=as_json)
