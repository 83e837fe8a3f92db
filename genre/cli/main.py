"""`genre`: the command line. Errors that a user can act on are printed without a traceback, see `genre.errors`."""

import atexit
import gc
import re
import sys
import warnings
from collections.abc import Callable
from typing import Final

import click
from rich.console import Console
from rich.markup import escape

from genre.cli.context import COMMANDS, registry_of
from genre.discovery import load_import_string
from genre.errors import GenreError, RunError, UsageError
from genre.untrusted import harmless_lines
from genre.version import __version__

COLLECTION_THRESHOLDS: Final = (50_000, 20, 20)
"""When a process of our own looks for garbage: with Python's own thresholds that is a sixth of a round's CPU."""
_NO_MEMORY: Final = re.compile(
    r"(?i)out of memory|tried to allocate|can't allocate memory|ALLOC_FAILED|Storage size calculation overflowed"
)
"""What torch says, on a CPU, on a GPU, and of tensors beyond all memory: it raises an error of no class of its own."""


class GenreCommands(click.Group):
    """The built-in commands, and those that plugins add."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Built-in commands first."""
        return [*COMMANDS, *sorted(registry_of(ctx).commands())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command: a built-in one, or a stand-in for a plugin's, whose code is imported when it is called."""
        if cmd_name in COMMANDS:
            return _command(load_import_string(COMMANDS[cmd_name]), cmd_name)
        added = registry_of(ctx).commands().get(cmd_name)
        return None if added is None else PluginCommand(cmd_name, *added)


class PluginCommand(click.Command):
    """Stands for a plugin's command in listings, and hands everything on to it when it is called."""

    def __init__(self, name: str, summary: str, load: Callable[[], object]) -> None:
        super().__init__(name, short_help=summary)
        self._load = load

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: object
    ) -> click.Context:
        """The context of the plugin's own command, imported now."""
        return _command(self._load(), str(self.name)).make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> object:
        """Invoke the plugin's own command."""
        return ctx.command.invoke(ctx)


@click.group(cls=GenreCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="genre")
@click.option("--strict", is_flag=True, help="A plugin that fails to load is an error, not a warning.")
def genre(strict: bool) -> None:
    """Enrich news data with large language models, train recommenders on it, and compare."""
    del strict  # read by registry_of


def main() -> None:
    """Entry point of the console script."""
    gc.set_threshold(*COLLECTION_THRESHOLDS)
    # Python looks for garbage once more when it ends: with litellm loaded for a second, which Ctrl-C does not have.
    atexit.register(gc.freeze)
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    warnings.showwarning = lambda message, *_args, **_kwargs: errors.print(f"[yellow]warning:[/] {_printable(message)}")
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
        errors.print(f"[red]error:[/] {_printable(error)}")
        sys.exit(error.exit_code)
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and _NO_MEMORY.search(str(error)) is None:
            raise
        said = "".join(f": {line}" for line in str(error).splitlines()[:1])
        told = RunError(f"there is not enough memory{said}", remedy="take a smaller model, batch or data set")
        errors.print(f"[red]error:[/] {_printable(told)}")
        sys.exit(told.exit_code)


def _printable(message: object) -> str:
    """For rich. Names and values in a message may be a stranger's: of a data set, a recording or a server."""
    return escape(harmless_lines(str(message)))


def _command(command: object, name: str) -> click.Command:
    if not isinstance(command, click.Command):
        raise UsageError(f"the command {name!r} is {command!r}, and a click.Command is expected")
    return command
