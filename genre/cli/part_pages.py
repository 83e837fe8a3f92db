"""What parts say of themselves, on the terminal."""

from collections.abc import Iterable, Iterator

from rich.table import Column, Table
from rich.text import Text

from genre.cli.tables import output
from genre.part_docs import DescribedPart
from genre.untrusted import harmless


def print_parts(parts: Iterable[DescribedPart]) -> None:
    """One page after another."""
    console = output()
    for number, part in enumerate(parts):
        if number:
            console.print()
        console.print(Text(harmless(f"{part.entry.kind} {part.entry.part.name}"), style="bold"))
        console.print(_facts(part))
        if part.options:
            console.print()
            console.print(_options(part))


def _facts(part: DescribedPart) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in _told(part):
        table.add_row(Text(name, style="dim"), Text(harmless(value)))
    return table


def _told(part: DescribedPart) -> Iterator[tuple[str, str]]:
    entry = part.entry
    yield "what it does", entry.part.summary
    if entry.part.source:
        yield "source", entry.part.source
    yield "from", entry.release
    yield "on", "yes" if entry.enabled else "no"
    if part.target:
        yield "code", part.target
    yield from part.made_of.items()
    if not part.options:
        yield "options", f"genre {entry.part.name} --help" if entry.kind == "command" else "none"


def _options(part: DescribedPart) -> Table:
    whole = (Column(name, overflow="fold") for name in ("option", "takes", "default", "what it is"))
    table = Table(*whole, box=None, header_style="bold")
    for option in part.options:
        default = "required" if option.default is None else option.default
        table.add_row(*(Text(harmless(each)) for each in (option.name, option.takes, default, option.meaning)))
    return table
