"""The suites by name."""

import importlib
import json

import click

SUITES = ("engine", "evaluation", "fuxictr", "preparation", "scaling", "startup", "store", "training", "training_scale")


@click.command()
@click.argument("suite", type=click.Choice(SUITES))
@click.option("as_json", "--json", is_flag=True, help="Print JSON.")
def main(suite: str, as_json: bool) -> None:
    """Run one suite and print its figures."""
    figures = importlib.import_module(f"benchmarks.{suite}").measure()
    if as_json:
        click.echo(json.dumps(figures))
        return
    for name, value in figures.items():
        click.echo(f"{name:24} {value}")


if __name__ == "__main__":
    main()
