"""`genre data check`: what is wrong with a set."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from genre.cli.context import as_json as json_option
from genre.cli.context import option_pairs, print_json, registry_of
from genre.errors import UsageError
from genre.registry import Registry
from genre.untrusted import harmless
from genre.wording import counted

if TYPE_CHECKING:
    from genre.dataset.checks import Finding, Level

_COLORS: Final[dict["Level", str]] = {"error": "red", "warning": "yellow", "note": "cyan"}


@click.command("check")
@click.argument("source", metavar="FOLDER|READER")
@option_pairs
@json_option
@click.pass_context
def check(ctx: click.Context, source: str, options: tuple[str, ...], as_json: bool) -> None:
    """Name what is wrong with a saved data set, or with what a reader (-o: its options) would read.

    Ends with 1 if something would spoil a training.
    """
    from genre.dataset.files import MANIFEST
    from genre.experiments import check_folder, check_reader, options_from

    folder = Path(source)
    is_saved = (folder / MANIFEST).is_file()
    if is_saved and options:
        raise UsageError("a saved data set has no options", where=folder, remedy="leave -o out")
    looks_like_a_folder = folder.is_dir() or folder.name != source
    if is_saved or (looks_like_a_folder and not options and not _is_reader(registry_of(ctx), source)):
        findings = check_folder(folder)  # which tells if there is no data set
    else:
        findings = check_reader(registry_of(ctx), source, options_from(options))
    if as_json:
        print_json({"findings": [each.as_json() for each in findings]})
    else:
        _print(findings)
    if any(each.kind.level == "error" for each in findings):
        sys.exit(1)


def _is_reader(registry: Registry, name: str) -> bool:
    return any(entry.part.name == name for entry in registry.parts("dataset"))


def _print(findings: Sequence["Finding"]) -> None:
    for each in findings:
        place = f"{each.split}: " if each.split else ""
        click.secho(f"{each.kind.level:<8} ", fg=_COLORS[each.kind.level], nl=False)
        click.echo(harmless(f"{place}{each.count:,} {each.kind.says}"))
        first = " ".join(text for text in (each.where, each.example) if text)
        for line in (f"first: {first}" if first else "", f"-> {each.kind.remedy}" if each.kind.remedy else ""):
            if line:
                click.echo(f"{'':<9}{harmless(line)}")
    counts = Counter(each.kind.level for each in findings)
    click.echo(", ".join(counted(counts[level], level) for level in _COLORS))
