"""`genre enrich`: rounds of generation over a saved data set."""

from pathlib import Path

import click

from genre.cli.context import (
    FOLDER,
    budget_limit,
    executor_name,
    generator_name,
    option_pairs,
    print_json,
    registry_of,
    store_path,
    subjects_limit,
)
from genre.cli.context import as_json as json_option


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("tasks", "--task", multiple=True, required=True, help="A task; several make a chain, in this order.")
@generator_name
@subjects_limit
@option_pairs
@click.option("--out", type=FOLDER, required=True, help="Folder for the enriched data set.")
@click.option("--retry-quarantined", is_flag=True, help="Ask anew for what an earlier call left in quarantine.")
@store_path
@budget_limit
@executor_name
@json_option
@click.pass_context
def enrich(
    ctx: click.Context,
    folder: Path,
    tasks: tuple[str, ...],
    generator: str | None,
    limit: int | None,
    options: tuple[str, ...],
    out: Path,
    retry_quarantined: bool,
    store: Path,
    budget: str | None,
    executor: str | None,
    as_json: bool,
) -> None:
    """Enrich the data set in FOLDER with one or more tasks and save the result.

    Options (-o) go to every task that has them: `-o draws=1`. What was answered once is never asked again.
    """
    import attrs

    from genre.cli.progress import TerminalObserver
    from genre.cli.tables import rounds_table
    from genre.experiments import enrich_folder, options_from
    from genre.generation import parse_budget

    registry = registry_of(ctx)
    money = None if budget is None else parse_budget(budget)
    with TerminalObserver() as observer:
        enriched = enrich_folder(
            registry,
            folder,
            tasks,
            out=out,
            store=store,
            generator=generator,
            limit=limit,
            options=options_from(options),
            observer=observer,
            budget=money,
            executor=executor,
            retry_quarantined=retry_quarantined,
        )
    if as_json:
        print_json([attrs.asdict(report) for report in enriched.reports])
    else:
        rounds_table({out.name: enriched.reports})
