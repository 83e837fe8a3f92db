"""What commands share: their names, options that several have, the registry of this call, and JSON output."""

import json
from pathlib import Path
from typing import Final

import click

from genre.errors import UsageError
from genre.registry import Registry

COMMANDS: Final = {
    "quickstart": "genre.cli.run:quickstart",
    "data": "genre.cli.data:data",
    "prompts": "genre.cli.prompts:prompts",
    "estimate": "genre.cli.estimate:estimate",
    "enrich": "genre.cli.enrich:enrich",
    "store": "genre.cli.store:store",
    "train": "genre.cli.models:train",
    "evaluate": "genre.cli.models:evaluate",
    "recommend": "genre.cli.recommend:recommend",
    "export": "genre.cli.export:export",
    "submission": "genre.cli.submission:submission",
    "run": "genre.cli.run:run",
    "report": "genre.cli.report:report",
    "plugins": "genre.cli.plugins:plugins",
    "config": "genre.cli.config:config",
}
"""Commands in the order of the work; each module is imported when it is needed."""

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
settings_changes = click.option(
    "changes", "--set", multiple=True, metavar="A.B=VALUE", help="Override a value of the experiment; may be repeated."
)
generator_name = click.option(
    "--generator", help="Generator instance from registry.toml; default: the task's, then the default one."
)
subjects_limit = click.option(
    "--limit", type=click.IntRange(min=0), help="Ask about the first so many news or readers only."
)
as_json = click.option("as_json", "--json", is_flag=True, help="Print JSON.")
store_path = click.option(
    "--store", type=FILE, default=DEFAULT_STORE, show_default=True, help="The answer store: what was paid once."
)
budget_limit = click.option(
    "budget", "--budget", metavar="AMOUNT", help="US dollars that the calls may cost, such as 25usd; never exceeded."
)
executor_name = click.option(
    "executor", "--executor", metavar="NAME", help="Where prompts are answered: `local`, `ray`, or [executors.NAME]."
)
cache_path = click.option("--cache", type=FOLDER, default=DEFAULT_CACHE, show_default=True, help="Prepared features.")


def registry_of(ctx: click.Context) -> Registry:
    """The registry, loaded once a call.

    Raises:
        UsageError: registry.toml is wrong, plugins contradict each other, or one adds a command that is built in.
    """
    root = ctx.find_root()
    if _REGISTRY not in root.meta:
        loaded = Registry.load(strict=bool(root.params.get("strict", False)))
        for entry in loaded.parts("command"):
            if entry.enabled and entry.part.name in COMMANDS:
                raise UsageError(
                    f"the command {entry.part.name!r} of {entry.distribution} has the name of a built-in one",
                    remedy=f"write disabled = ['command/{entry.part.name}'] into [plugins] of registry.toml",
                )
        root.meta[_REGISTRY] = loaded
    registry = root.meta[_REGISTRY]
    assert isinstance(registry, Registry)
    return registry


def print_json(value: object) -> None:
    """JSON on standard output, for other programs; in ASCII, since a model's or a server's words may be in it."""
    click.echo(json.dumps(value, indent=2))
