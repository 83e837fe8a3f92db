"""`genre data`: import a data set, describe it, and look into it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from genre.cli.check import check
from genre.cli.context import FOLDER, option_pairs, print_json, registry_of
from genre.cli.context import as_json as json_option
from genre.cli.download import download
from genre.errors import UsageError
from genre.untrusted import harmless

if TYPE_CHECKING:
    from genre.dataset import Dataset


@click.group()
def data() -> None:
    """Data sets: import one, describe it, look into it."""


data.add_command(check)
data.add_command(download)


@data.command("import")
@click.argument("reader")
@option_pairs
@click.option("--out", type=FOLDER, required=True, help="Folder for the data set.")
@click.option("--vectors", multiple=True, metavar="FIELD=FILE", help="Vectors of news, .parquet or .npy; repeatable.")
@click.option("--halve", metavar="SPLIT", help="Cut this split into two halves, `dev` and `test`, by impression.")
@click.pass_context
def import_command(
    ctx: click.Context, reader: str, options: tuple[str, ...], out: Path, vectors: tuple[str, ...], halve: str | None
) -> None:
    """Read a data set with READER (such as mind or sample) and save it as Parquet."""
    from genre.experiments import Halve, import_dataset, options_from

    dataset = import_dataset(
        registry_of(ctx),
        reader,
        options_from(options),
        out=out,
        vectors=_vector_files(vectors),
        halve=Halve(split=halve) if halve else None,
    )
    _print_stats(dataset, as_json=False)


@data.command("stats")
@click.argument("folder", type=FOLDER)
@json_option
def stats_command(folder: Path, as_json: bool) -> None:
    """Count news, readers and impressions of the data set in FOLDER."""
    from genre.dataset import load_dataset

    _print_stats(load_dataset(folder), as_json=as_json)


@data.command("export")
@click.argument("folder", type=FOLDER)
@click.option("--out", type=FOLDER, required=True, help="A new folder, for SPLIT/news.tsv and SPLIT/behaviors.tsv.")
@click.option("--texts", default="latest", show_default=True, help="Which texts: latest, original, or a version.")
def export_command(folder: Path, out: Path, texts: str) -> None:
    """Write the data set in FOLDER as MIND's files, for other projects to train on."""
    from genre.dataset import load_dataset, write_mind

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError("there is something already", where=out, remedy="name another folder")
    dataset = load_dataset(folder)
    write_mind(dataset, out, texts=texts)
    click.echo(f"{out}: {', '.join(dataset.splits)}")


@data.command("show")
@click.argument("folder", type=FOLDER)
@click.option("--news", metavar="ID", help="A news: every version of its texts.")
@click.option("--reader", metavar="ID", help="A reader or user: histories with titles, and interests.")
@click.option("--serve", is_flag=True, help="All of it as pages in a web browser, for this machine only.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="With --serve: the port.  [default: a free one]")
@click.option("--browser/--no-browser", default=False, help="With --serve: open a web browser, too.")
def show_command(folder: Path, news: str | None, reader: str | None, serve: bool, port: int, browser: bool) -> None:
    """Show news or readers of the data set in FOLDER, with where each text comes from: one as JSON, or all as pages."""
    from genre.dataset import load_dataset
    from genre.experiments import describe_news, describe_readers

    if (news is not None) + (reader is not None) + serve != 1:
        raise click.UsageError("name one of --news, --reader and --serve")
    dataset = load_dataset(folder)
    if serve:
        _serve(dataset, folder.resolve().name, port, open_browser=browser)
    else:
        print_json(describe_news(dataset, news) if news is not None else describe_readers(dataset, str(reader)))


def _serve(dataset: "Dataset", name: str, port: int, *, open_browser: bool) -> None:
    from genre.browser.server import serve

    def tell(address: str) -> None:
        click.echo(f"{name} is shown at {address} (Ctrl-C ends it)")
        if open_browser:
            click.launch(address)

    serve(dataset, name, port=port, on_ready=tell)


def _vector_files(pairs: tuple[str, ...]) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for pair in pairs:
        field, _, file = pair.partition("=")
        if not (field and file):
            raise UsageError(f"{pair!r} is not of the form FIELD=FILE", remedy="for example --vectors cover=covers.npy")
        if field in files:
            raise UsageError(f"the vectors {field!r} are given twice", remedy="give each field one file")
        files[field] = Path(file)
    return files


def _print_stats(dataset: "Dataset", *, as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    stats = dataset.stats()
    if as_json:
        lineage = [{"operation": step.operation, "details": step.details} for step in dataset.lineage]
        print_json({**stats, "fingerprint": dataset.fingerprint, "lineage": lineage})
        return
    table = Table(box=None, show_header=False)
    for name, value in stats.items():
        table.add_row(Text(harmless(name.replace("_", " "))), f"{value:,}")  # splits have any name, such as "[/]"
    Console().print(table)
