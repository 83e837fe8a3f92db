"""What commands share: the registry of this call, JSON output, and paths with their defaults."""

import json
from pathlib import Path
from typing import Final

import click

from genre.registry import Registry

DEFAULT_STORE: Final = Path(".genre") / "answers.sqlite"
"""Where paid answers are kept unless told otherwise; shared by all runs of a folder."""
DEFAULT_CACHE: Final = Path(".genre") / "features"
"""Where prepared features are kept; may be deleted at any time."""

_REGISTRY: Final = "genre.registry"

FOLDER: Final = click.Path(path_type=Path, file_okay=False)
FILE: Final = click.Path(path_type=Path, dir_okay=False)

option_pairs = click.option(
    "options", "-o", "--option", multiple=True, metavar="NAME=VALUE", help="An option; may be repeated."
)
as_json = click.option("as_json", "--json", is_flag=True, help="Print JSON.")
store_path = click.option(
    "--store", type=FILE, default=DEFAULT_STORE, show_default=True, help="The answer store: what was paid once."
)
cache_path = click.option("--cache", type=FOLDER, default=DEFAULT_CACHE, show_default=True, help="Prepared features.")


def registry_of(ctx: click.Context) -> Registry:
    """The registry, loaded once a call."""
    root = ctx.find_root()
    if _REGISTRY not in root.meta:
        root.meta[_REGISTRY] = Registry.load(strict=bool(root.params.get("strict", False)))
    registry = root.meta[_REGISTRY]
    assert isinstance(registry, Registry)
    return registry


def print_json(value: object) -> None:
    """JSON on standard output, for other programs."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
