"""`genre submission`: rankings for MIND's leaderboard."""

import sys
from pathlib import Path
from typing import Final

import click

from genre.cli.context import FILE, FOLDER, as_json, cache_path, print_json, registry_of
from genre.untrusted import harmless
from genre.wording import counted

_LEFT_OUT: Final = {
    "dangling_candidate_ids": "candidates were dropped when the set was read, and have no rank",
    "impressions_without_candidates": "impressions without candidates were left out when the set was read, and have no "
    "line",
}
"""What a submission may lack, by what the data set's lineage counts."""

split_name = click.option("--split", default="test", show_default=True, help="The split that is ranked.")


@click.group()
def submission() -> None:
    """Submissions to MIND's leaderboard: write one, check one."""


@submission.command("write")
@click.argument("model", type=FOLDER)
@click.argument("folder", type=FOLDER)
@split_name
@click.option("--out", type=FILE, default=Path("prediction.zip"), show_default=True, help="The archive.")
@cache_path
@click.pass_context
def write_command(ctx: click.Context, model: Path, folder: Path, split: str, out: Path, cache: Path) -> None:
    """Rank the candidates of a split of the data set in FOLDER with the trained MODEL."""
    from genre.dataset import load_dataset
    from genre.experiments import write_submission
    from genre.modeling import load_model

    dataset = load_dataset(folder)
    read = next((step.details for step in dataset.lineage if step.operation == "read"), {})
    for name, says in _LEFT_OUT.items():
        if lost := read.get(name):
            click.echo(f"warning: {harmless(str(lost))} {says}", err=True)
    count = write_submission(load_model(model, registry_of(ctx)), dataset, split, out, cache=cache)
    click.echo(f"{out}: {count:,} impressions")


@submission.command("check")
@click.argument("file", type=FILE)
@click.option("--against", "folder", type=FOLDER, required=True, help="The data set that is ranked.")
@split_name
@as_json
def check_command(file: Path, folder: Path, split: str, as_json: bool) -> None:
    """Name what is wrong with the submission FILE, with file and line. Ends with 1 if anything is."""
    import attrs

    from genre.dataset import load_dataset
    from genre.experiments import check_submission
    from genre.experiments.submission_check import MOST_PROBLEMS

    problems = check_submission(file, load_dataset(folder), split)
    if as_json:
        print_json({"problems": [attrs.asdict(each) for each in problems]})
    else:
        for each in problems:
            click.echo(f"{each.where}: {each.message}")
        if len(problems) == MOST_PROBLEMS:
            click.echo("reading stopped here")
        click.echo(counted(len(problems), "problem"))
    if problems:
        sys.exit(1)
