"""`genre`: the command line. Errors that a user can act on are printed without a traceback, see `genre.errors`."""

import sys
import warnings
from typing import Final

import click
from rich.console import Console
from rich.markup import escape

from genre.cli.context import registry_of
from genre.errors import GenreError
from genre.registry import load_import_string
from genre.version import __version__

COMMANDS: Final = {
    "quickstart": "genre.cli.run:quickstart",
    "data": "genre.cli.data:data",
    "enrich": "genre.cli.enrich:enrich",
    "train": "genre.cli.models:train",
    "evaluate": "genre.cli.models:evaluate",
    "run": "genre.cli.run:run",
    "plugins": "genre.cli.plugins:plugins",
}
"""Commands in the order of the work; each module is imported when it is needed."""


class GenreCommands(click.Group):
    """The built-in commands, and those that plugins add."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Built-in commands first."""
        return [*COMMANDS, *sorted(set(registry_of(ctx).commands()) - set(COMMANDS))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name in COMMANDS:
            return _checked(load_import_string(COMMANDS[cmd_name]), cmd_name)
        load = registry_of(ctx).commands().get(cmd_name)
        return None if load is None else _checked(load(), cmd_name)


@click.group(cls=GenreCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="genre")
@click.option("--strict", is_flag=True, help="A plugin that fails to load is an error, not a warning.")
def genre(strict: bool) -> None:
    """Enrich news data with large language models, train recommenders on it, and compare."""
    del strict  # read by registry_of


def main() -> None:
    """Entry point of the console script."""
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    warnings.showwarning = lambda message, *_args, **_kwargs: errors.print(
        f"[yellow]warning:[/] {escape(str(message))}"
    )
    try:
        genre(standalone_mode=False)
    except click.exceptions.Abort:
        errors.print("[yellow]interrupted[/]: finished work is kept; run the same command again to go on")
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except GenreError as error:
        errors.print(f"[red]error:[/] {escape(str(error))}")
        sys.exit(error.exit_code)


def _checked(command: object, name: str) -> click.Command:
    if not isinstance(command, click.Command):
        raise click.ClickException(f"the command {name!r} of a plugin is {command!r}, not a click.Command")
    return command
