"""The suites by name."""

import json

import click

from benchmarks import startup

SUITES = {"startup": startup.measure}


@click.command()
@click.argument("suite", type=click.Choice(sorted(SUITES)))
@click.option("as_json", "--json", is_flag=True, help="Print JSON.")
def main(suite: str, as_json: bool) -> None:
    """Run one suite and print its figures."""
    figures = SUITES[suite]()
    if as_json:
        click.echo(json.dumps(figures))
        return
    for name, value in figures.items():
        click.echo(f"{name:24} {value}")


main()
