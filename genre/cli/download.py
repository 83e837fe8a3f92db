"""`genre data download`: fetch a published data set."""

from pathlib import Path

import click

from genre.cli.context import FOLDER, registry_of


@click.command("download")
@click.argument("name")
@click.option("--out", type=FOLDER, required=True, help="Folder for the files.")
@click.option("accept", "--accept-license", is_flag=True, help="Say that you read the licence and accept it.")
@click.option("source", "--from", type=FOLDER, help="Take archives or unpacked folders from here; fetch nothing.")
@click.option("--mirror", "mirrors", multiple=True, metavar="URL", help="Fetch URL/ARCHIVE instead; may be repeated.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="Seconds without a byte.",
)
@click.option("--attempts", type=click.IntRange(min=1), default=3, show_default=True, help="In a row, at one mirror.")
@click.pass_context
def download(
    ctx: click.Context,
    name: str,
    out: Path,
    accept: bool,
    source: Path | None,
    mirrors: tuple[str, ...],
    timeout: float,
    attempts: int,
) -> None:
    """Fetch the data set NAME, such as mind-small, for its reader.

    What is interrupted goes on where it stopped. The checksum of each archive is recorded in OUT/SHA256SUMS when it is
    first used, and has to be the same ever after.
    """
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

    from genre.downloads import Fetched, Patience, find_download
    from genre.downloads import download as fetch

    what, reader = find_download(registry_of(ctx), name)
    click.echo(f"{what.name}: {what.licence}\n{what.licence_url}", err=True)
    bars: dict[str, TaskID] = {}
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())

    with Progress(*columns, console=Console(stderr=True)) as progress:

        def on_bytes(archive: str, done: int, total: int | None) -> None:
            if archive not in bars:
                bars[archive] = progress.add_task(archive, total=total)
            progress.update(bars[archive], completed=done, total=total)

        def on_done(one: Fetched) -> None:
            note = f"  {one.checksum}{' (recorded)' if one.first else ''}" if one.checksum else ""
            progress.console.print(f"{one.folder}: {one.came}{note}", markup=False, highlight=False, soft_wrap=True)

        fetch(
            what,
            out,
            accept_license=accept,
            mirrors=mirrors,
            source=source,
            patience=Patience(timeout=timeout, attempts=attempts),
            on_bytes=on_bytes,
            on_done=on_done,
        )
    click.echo(f"genre data import {reader} -o folder={out} --out FOLDER")
