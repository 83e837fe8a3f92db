"""`genre plugins`: what is installed and on, what a part says of itself, and a package for a part of one's own."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genre.cli.context import COMMANDS, FOLDER, print_json, registry_of
from genre.cli.context import as_json as json_option
from genre.errors import UsageError, nearest
from genre.untrusted import harmless

if TYPE_CHECKING:
    from genre.registry import Registry

only_kind = click.option("--kind", help="Only this kind, for example task or baseline.")


@click.group()
def plugins() -> None:
    """Plugins: what is installed and on, and a package for one of your own."""


@plugins.command("list")
@only_kind
@json_option
@click.pass_context
def list_plugins(ctx: click.Context, kind: str | None, as_json: bool) -> None:
    """Every part of every plugin: kind, name, who provides it, whether it is on."""
    registry = registry_of(ctx)
    _check_kind(registry, kind)
    entries = registry.parts(kind)
    if as_json:
        print_json([entry.as_json() for entry in entries])
        return
    from rich.table import Table
    from rich.text import Text

    from genre.cli.tables import output

    table = Table("kind", "name", "from", "on", "summary", box=None, header_style="bold")
    for entry in entries:
        on = "yes" if entry.enabled else "no"
        cells = (entry.kind, entry.part.name, entry.distribution, on, entry.part.summary)
        table.add_row(*(Text(harmless(each)) for each in cells))
    output().print(table)


@plugins.command("show")
@click.argument("name")
@only_kind
@json_option
@click.pass_context
def show_plugin(ctx: click.Context, name: str, kind: str | None, as_json: bool) -> None:
    """What the part NAME says of itself: who provides it, its source, its options with types, defaults and meaning."""
    registry = registry_of(ctx)
    _check_kind(registry, kind)
    entries = registry.parts(kind)
    found = [entry for entry in entries if entry.part.name == name]
    if not found:
        raise UsageError(
            f"there is no {kind or 'part'} {name!r}", remedy=nearest(name, {entry.part.name for entry in entries})
        )
    from genre.part_docs import described_part

    parts = [described_part(registry, entry) for entry in found]
    if as_json:
        print_json([part.as_json() for part in parts])
        return
    from genre.cli.part_pages import print_parts

    print_parts(parts)


@plugins.command("new")
@click.argument("name")
@click.option("--kind", required=True, help="What it plugs into, for example generator, task or user-encoder.")
@click.option(
    "--out", type=FOLDER, default=Path(), show_default="here", help="The folder that the package's folder is put into."
)
@click.pass_context
def new_plugin(ctx: click.Context, name: str, kind: str, out: Path) -> None:
    """Write a package with a part NAME that works: typed code, tests, checks. Change it into what you want."""
    from genre.authoring import new_package

    package = new_package(registry_of(ctx), name, kind, out, reserved_commands=COMMANDS)
    click.echo(f"{package.folder}: a package with the {kind} {name!r}")
    click.echo(f"next: cd {shlex.quote(str(package.folder))} && pip install --editable '.[dev]' && pytest")
    click.echo(f"then: {package.folder / 'README.md'}")


def _check_kind(registry: "Registry", kind: str | None) -> None:
    kinds = {entry.kind for entry in registry.parts()}
    if kind is not None and kind not in kinds:
        raise UsageError(f"there is no part of the kind {kind!r}", remedy=nearest(kind, kinds))
