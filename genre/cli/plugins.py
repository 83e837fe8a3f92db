"""`genre plugins`: what is installed, and what is on."""

import click

from genre.cli.context import as_json as json_option
from genre.cli.context import print_json, registry_of
from genre.errors import UsageError, nearest


@click.group()
def plugins() -> None:
    """Plugins: what is installed, and what is on."""


@plugins.command("list")
@click.option("--kind", help="Only this kind, for example task or baseline.")
@json_option
@click.pass_context
def list_plugins(ctx: click.Context, kind: str | None, as_json: bool) -> None:
    """Every part of every plugin: kind, name, who provides it, whether it is on."""
    registry = registry_of(ctx)
    kinds = {entry.kind for entry in registry.parts()}
    if kind is not None and kind not in kinds:
        raise UsageError(f"there is no part of the kind {kind!r}", remedy=nearest(kind, kinds))
    entries = registry.parts(kind)
    if as_json:
        print_json([entry.as_json() for entry in entries])
        return
    from rich.table import Table

    from genre.cli.tables import output

    table = Table("kind", "name", "from", "on", "summary", box=None, header_style="bold")
    for entry in entries:
        row = entry.as_json()
        table.add_row(
            entry.kind, entry.part.name, entry.distribution, "yes" if entry.enabled else "no", str(row["summary"])
        )
    output().print(table)
