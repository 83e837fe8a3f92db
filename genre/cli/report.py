"""`genre report`."""

from pathlib import Path

import click

from genre.cli.context import FILE, FOLDER


@click.command()
@click.argument("run", type=FOLDER)
@click.option("--out", type=FILE, help="The HTML file.  [default: RUN/report.html]")
def report(run: Path, out: Path | None) -> None:
    """Write the report of the folder RUN, which `genre run` wrote: one HTML page that needs nothing else."""
    from genre.report import write_report

    click.echo(f"report: {write_report(run, out)}")
