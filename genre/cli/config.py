"""`genre config`: what is set, and by whom."""

import json
from pathlib import Path

import click

from genre.cli.context import FILE, print_json, registry_of, settings_changes
from genre.cli.context import as_json as json_option


@click.group()
def config() -> None:
    """Configuration: what is set, and by whom."""


@config.command("show")
@click.argument("experiment", type=FILE, required=False)
@settings_changes
@click.option("--origin", is_flag=True, help="Tell where each value comes from: file and line, or a default.")
@json_option
@click.pass_context
def show_command(
    ctx: click.Context, experiment: Path | None, changes: tuple[str, ...], origin: bool, as_json: bool
) -> None:
    """Show what registry.toml says in all its layers, and what an EXPERIMENT file comes to."""
    from genre.experiments.configuration import configuration

    values = configuration(registry_of(ctx), experiment, changes)
    if as_json:
        print_json([{"key": each.key, "value": each.value, "origin": each.origin} for each in values])
        return
    from genre.untrusted import harmless

    for each in values:
        line = f"{each.key} = {json.dumps(each.value, ensure_ascii=False)}"
        click.echo(harmless(f"{line}  # {each.origin}" if origin else line))
