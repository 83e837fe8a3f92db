"""`genre export`: a trained model as a folder to hand on."""

from pathlib import Path

import click

from genre.cli.context import FILE, FOLDER, registry_of


@click.command()
@click.argument("model", type=FOLDER)
@click.option("--out", type=FOLDER, required=True, help="Folder for the export.")
@click.option("--cell", metavar="NAME", help="If MODEL is a run folder: which cell, such as original-nrms-0.")
@click.option("--results", type=FILE, help="Figures for the card: what `genre evaluate --json` printed.")
@click.pass_context
def export(ctx: click.Context, model: Path, out: Path, cell: str | None, results: Path | None) -> None:
    """Write the trained MODEL to a folder that opens anywhere with genre.load, with a card for people."""
    from genre.experiments import export_model

    export_model(model, out, cell=cell, results=results, registry=registry_of(ctx))
    click.echo(f"{out}: read README.md before you hand it on")
