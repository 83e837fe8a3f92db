"""Tables on a narrow terminal: names on a line of their own above their figures, where columns would cut them up."""

from collections.abc import Iterable, Sequence
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

_READABLE: Final = 12
"""Columns that a name takes at least; a column of fewer breaks words into pieces."""
_GAP: Final = "  "


def show(console: Console, table: Table) -> None:
    """Print a table whose columns of figures are those that do not wrap.

    Args:
        console: its width decides.
    """
    names = [column for column in table.columns if not column.no_wrap]
    figures = [column for column in table.columns if column.no_wrap]
    needed = [min(_width(column), _READABLE) for column in names] + [_width(column) for column in figures]
    if sum(needed) + len(_GAP) * len(needed) <= console.width:
        console.print(table)
    else:
        for line in _lines(table, names, figures):
            console.print(line, highlight=False)


def _lines(table: Table, names: Sequence[Column], figures: Sequence[Column]) -> Iterable[Text]:
    widths = [_width(column) for column in figures]

    def in_columns(texts: Iterable[str]) -> str:
        padded = (text.rjust(width) for text, width in zip(texts, widths, strict=True))
        return _GAP + _GAP.join(padded)

    if table.title:
        yield Text(str(table.title), style="bold")
    yield Text(_GAP.join(str(column.header) for column in names), style="bold")
    yield Text(in_columns(str(column.header) for column in figures), style="bold")
    of_names, of_figures = (zip(*map(_cells, columns), strict=True) for columns in (names, figures))
    for its_names, its_figures in zip(of_names, of_figures, strict=True):
        yield Text(_GAP.join(name.strip() for name in its_names if name.strip()))
        yield Text(in_columns(its_figures))


def _cells(column: Column) -> list[str]:
    return [cell.plain if isinstance(cell, Text) else str(cell) for cell in column.cells]


def _width(column: Column) -> int:
    return max(map(cell_len, (str(column.header), *_cells(column))))
