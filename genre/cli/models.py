"""`genre train` and `genre evaluate`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genre.cli.context import FILE, FOLDER, as_json, cache_path, option_pairs, print_json, registry_of
from genre.errors import UsageError
from genre.registry import Registry

if TYPE_CHECKING:
    from genre.experiments.training import TrainingCall, TrainingOutcome


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--baseline", required=True, help="A registered baseline, such as nrms.")
@click.option("--out", type=FOLDER, required=True, help="Folder for the trained model.")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    default=0,
    show_default=True,
    help="Decides weights, order, negatives and dropout.",
)
@click.option("--fusion", is_flag=True, help="Fuse readers' interests into the user vector (equations 1 and 2).")
@option_pairs
@click.option(
    "minutes",
    "--checkpoint-minutes",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    help="How often OUT-checkpoint.safetensors is written, beside each epoch's end.",
)
@click.option("--executor", metavar="NAME", help="Who trains: `local`, `ray`, or [executors.NAME].  [default: local]")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint of the same call, exactly, if there is one.")
@click.option("--profile", type=FILE, help="Write where the time went to this file, as JSON.")
@cache_path
@click.pass_context
def train(
    ctx: click.Context,
    folder: Path,
    baseline: str,
    out: Path,
    seed: int,
    fusion: bool,
    options: tuple[str, ...],
    minutes: float,
    executor: str | None,
    resume: bool,
    profile: Path | None,
    cache: Path,
) -> None:
    """Train a baseline on the data set in FOLDER and save the model.

    Options (-o) are those of training, features and the baseline: `-o training.epochs=3 -o features.history_length=50
    -o baseline.field_options.plm.model=package:NAME`.

    `torchrun --nproc-per-node N -m genre train ...` trains with N processes, which share each batch.
    """
    from genre.experiments import options_from
    from genre.experiments.training import TrainingCall

    call = TrainingCall(
        data=folder,
        out=out,
        baseline=baseline,
        seed=seed,
        fusion=fusion,
        options=options_from(options),
        place=Path.cwd(),
        cache=cache,
        minutes=minutes,
        resume=resume,
        profile=profile,
    )
    try:
        outcome = _trained(registry_of(ctx), call, executor)
    except KeyboardInterrupt:
        if call.checkpoint.exists() and os.environ.get("RANK", "0") == "0":  # torchrun numbers its processes
            click.echo(f"{call.checkpoint}: --resume goes on from here", err=True)
        raise
    if outcome is not None:
        _tell(call, outcome)


def _trained(registry: Registry, call: "TrainingCall", executor: str | None) -> "TrainingOutcome | None":
    """What the training came to; None in a process that does not tell of it."""
    from genre.cli.progress import TerminalObserver
    from genre.experiments.training import train_by_executor, train_folder
    from genre.modeling.distributed import launched, process_group

    if executor is not None:
        if launched():
            raise UsageError(
                f"torchrun started this process, and --executor {executor} starts processes, too",
                remedy="use one of the two",
            )
        with TerminalObserver() as observer:
            return train_by_executor(registry, call, executor, observer=observer)
    if not launched():
        with TerminalObserver() as observer:
            return train_folder(registry, call, observer=observer)
    with process_group() as processes:
        if processes.rank:
            train_folder(registry, call, processes=processes)
            return None
        with TerminalObserver() as observer:
            return train_folder(registry, call, observer=observer, processes=processes)


def _tell(call: "TrainingCall", outcome: "TrainingOutcome") -> None:
    figures = ", ".join(f"{name} {value:.4f}" for name, value in outcome.metrics.items())
    if outcome.word_vector_share is not None:
        click.echo(f"word vectors: found for {outcome.word_vector_share:.1%} of the vocabulary")
    click.echo(f"{call.out}: epoch {outcome.best_epoch} of {outcome.epochs} is best ({figures or 'no early stopping'})")


@click.command()
@click.argument("model", type=FOLDER)
@click.argument("folder", type=FOLDER)
@click.option("--split", "splits", multiple=True, default=("test",), show_default=True, help="May be repeated.")
@cache_path
@as_json
@click.pass_context
def evaluate(
    ctx: click.Context, model: Path, folder: Path, splits: tuple[str, ...], cache: Path, as_json: bool
) -> None:
    """Evaluate the trained MODEL on the data set in FOLDER: the four metrics for all, new and warm readers."""
    from genre.cli.tables import results_table
    from genre.dataset import load_dataset
    from genre.experiments import evaluate_model
    from genre.experiments.results import Cell, result_rows
    from genre.modeling import load_model

    trained = load_model(model, registry_of(ctx))
    dataset = load_dataset(folder)
    leaked = trained.leaked or dataset.leaked
    cell = Cell(folder.resolve().name, trained.recommender.baseline.name, trained.seed)
    rows = [
        row
        for each in evaluate_model(trained, dataset, splits, cache=cache)
        for row in result_rows(cell, each.split, each.summary, leaked=leaked)
    ]
    if as_json:
        print_json({"rows": rows})
    else:
        results_table(rows)
