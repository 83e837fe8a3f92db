"""`genre estimate`: calls, tokens and price before anybody is asked."""

from collections.abc import Mapping
from pathlib import Path

import click

from genre.cli.context import as_json as json_option
from genre.cli.context import (
    generator_name,
    option_pairs,
    print_json,
    registry_of,
    settings_changes,
    store_path,
    subjects_limit,
)
from genre.errors import UsageError


@click.command()
@click.argument("what", metavar="EXPERIMENT|DATA", type=click.Path(path_type=Path))
@settings_changes
@click.option("tasks", "--task", multiple=True, help="A task; several make a chain, in this order.")
@generator_name
@subjects_limit
@option_pairs
@store_path
@click.option("budget", "--budget", metavar="AMOUNT", help="Tell whether so many US dollars would do, such as 25usd.")
@json_option
@click.pass_context
def estimate(
    ctx: click.Context,
    what: Path,
    changes: tuple[str, ...],
    tasks: tuple[str, ...],
    generator: str | None,
    limit: int | None,
    options: tuple[str, ...],
    store: Path,
    budget: str | None,
    as_json: bool,
) -> None:
    """Tell what `genre run` of an EXPERIMENT file, or `genre enrich` of the data set in DATA, would ask and cost.

    Nobody is asked, nothing is written, and no API key is needed. Stored answers are subtracted. For a data set write
    the options of `genre enrich`: --task, --generator, --limit and -o.
    """
    from genre.cli.progress import TerminalObserver
    from genre.cli.tables import estimate_table
    from genre.experiments import estimate_experiment, estimate_folder, load_experiment, options_from
    from genre.generation import parse_budget

    money = None if budget is None else parse_budget(budget)
    if tasks and changes:
        raise UsageError("--set changes an experiment file, and --task names none", remedy="write -o NAME=VALUE")
    if not tasks:
        _check_experiment(what, {"--generator": generator, "--limit": limit, "-o": options or None})
    registry = registry_of(ctx)
    with TerminalObserver() as observer:
        if tasks:
            estimated = estimate_folder(
                registry,
                what,
                tasks,
                store=store,
                generator=generator,
                limit=limit,
                options=options_from(options),
                observer=observer,
            )
        else:
            estimated = estimate_experiment(load_experiment(what, changes), registry, store=store, observer=observer)
    if as_json:
        enough = {} if money is None else {"budget": money, "enough": estimated.enough(money)}
        print_json({**estimated.as_json(), **enough})
    else:
        estimate_table(estimated, budget=money)


def _check_experiment(what: Path, of_tasks: Mapping[str, object]) -> None:
    """Without a task an experiment file is meant, and options of tasks belong into it."""
    if what.is_dir():
        raise UsageError("no task is named", where=what, remedy="add --task NAME, as for `genre enrich`")
    for name, value in of_tasks.items():
        if value is not None:
            raise UsageError(f"{name} belongs to --task", remedy="change the experiment with --set A.B=VALUE")
