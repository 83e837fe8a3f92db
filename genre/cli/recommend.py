"""`genre recommend`: what a trained model would show to a reader."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

from genre.cli.context import FILE, FOLDER, as_json, cache_path, print_json, registry_of

if TYPE_CHECKING:
    from genre.experiments import Recommendations


@click.command()
@click.argument("model", type=FOLDER)
@click.argument("folder", type=FOLDER)
@click.option("--user", metavar="ID", help="A user, whose latest state is taken; or the id of a reader.")
@click.option("--history", metavar="ID,ID", help="For somebody new: their clicks, oldest first; '' for none.")
@click.option("--top", type=click.IntRange(min=1), default=10, show_default=True, help="How many news.")
@click.option("--pool", type=FILE, help="The candidates: an id a line.  [default: all news but generated ones]")
@click.option("--split", help="The candidates: what was shown in this split.")
@click.option("--since", type=click.DateTime(), help="The candidates: what was shown since this time.")
@click.option(
    "exclude",
    "--exclude-history/--include-history",
    default=True,
    show_default=True,
    help="Leave out what the reader's history shows as clicked.",
)
@click.option("--cell", metavar="NAME", help="If MODEL is a run folder: which cell, such as original-nrms-0.")
@cache_path
@as_json
@click.pass_context
def recommend(
    ctx: click.Context,
    model: Path,
    folder: Path,
    user: str | None,
    history: str | None,
    top: int,
    pool: Path | None,
    split: str | None,
    since: datetime | None,
    exclude: bool,
    cell: str | None,
    cache: Path,
    as_json: bool,
) -> None:
    """Rank news of the data set in FOLDER for one reader, with the trained MODEL."""
    from genre.experiments import recommend as recommend_news

    found = recommend_news(
        model,
        folder,
        user=user,
        history=None if history is None else [each.strip() for each in history.split(",") if each.strip()],
        top=top,
        pool=pool,
        split=split,
        since=since,
        exclude_history=exclude,
        cell=cell,
        cache=cache,
        registry=registry_of(ctx),
    )
    if as_json:
        print_json(attrs.asdict(found))
    else:
        _print(found)


def _print(found: "Recommendations") -> None:
    from rich.table import Table
    from rich.text import Text

    from genre.cli.narrow import show
    from genre.cli.tables import output
    from genre.untrusted import harmless
    from genre.wording import counted

    who = "somebody new" if found.reader is None else harmless(found.reader)
    leaked = " (leaked)" if found.leaked else ""
    clicks, candidates = counted(found.clicks, "click"), counted(found.candidates, "candidate")
    click.echo(f"for {who}, {found.segment}, {clicks}; of {candidates}{leaked}")
    if not found.told_apart:
        click.echo("the model gives all of them the same score: the order is that of the data set, and says nothing")
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    for name in ("news", "title", "category"):
        table.add_column(name, overflow="fold")
    for each in found.news:
        names = (Text(harmless(name)) for name in (each.id, each.title, each.category))
        table.add_row(str(each.rank), f"{each.score:.4f}", *names)
    show(output(), table)
