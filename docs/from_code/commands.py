"""Every command of `genre` with its arguments and options."""

from collections.abc import Iterator

import click

from from_code.markdown import code, documented, prose, table
from genre.cli.context import COMMANDS
from genre.cli.main import genre


def walk() -> Iterator[tuple[click.Context, click.Command]]:
    """Every built-in command, groups included, in the order of `genre --help`."""
    root = click.Context(genre, info_name="genre")
    yield root, genre
    for name in COMMANDS:
        command = genre.get_command(root, name)
        assert command is not None
        yield from _below(command, name, root)


def _below(command: click.Command, name: str, parent: click.Context) -> Iterator[tuple[click.Context, click.Command]]:
    context = click.Context(command, info_name=name, parent=parent)
    yield context, command
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            below = command.get_command(context, inner)
            assert below is not None
            yield from _below(below, inner, context)


def commands() -> str:
    """A section for each."""
    return "\n".join(_section(context, command) for context, command in walk())


def _section(context: click.Context, command: click.Command) -> str:
    path = context.command_path
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    pieces = [
        f"(command-{path.replace(' ', '-')})=\n## {code(path)}\n",
        f"```text\n{usage}\n```\n",
        prose(documented(command.help, f"the command {path}")),
    ]
    options = [_option(path, each) for each in command.params if isinstance(each, click.Option)]
    if options:
        pieces.append("\n" + table(("option", "takes", "default", "what it is"), options))
    return "\n".join(pieces) + "\n"


def _option(path: str, option: click.Option) -> tuple[str, str, str, str]:
    names = ", ".join(map(code, [*option.opts, *option.secondary_opts]))
    takes = "nothing" if option.is_flag else option.make_metavar(click.Context(genre))
    if option.multiple:
        takes += ", repeatable"
    text = documented(option.help, f"the option {option.opts[-1]} of {path}")
    return names, code(takes) if takes != "nothing" else takes, _default(option), prose(text)


def _default(option: click.Option) -> str:
    if option.required:
        return "required"
    if option.is_flag or option.default in (None, (), "") or not isinstance(option.default, str | int | float | tuple):
        return code(str(option.default)) if type(option.default).__name__.endswith("Path") else ""
    values = option.default if isinstance(option.default, tuple) else (option.default,)
    return ", ".join(code(str(value)) for value in values)
