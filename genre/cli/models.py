"""`genre train` and `genre evaluate`."""

from pathlib import Path
from typing import cast

import click

from genre.cli.context import FOLDER, as_json, cache_path, option_pairs, print_json, registry_of
from genre.errors import UsageError


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--baseline", required=True, help="A registered baseline, such as nrms.")
@click.option("--out", type=FOLDER, required=True, help="Folder for the trained model.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
@click.option("--fusion", is_flag=True, help="Fuse readers' interests into the user vector (equations 1 and 2).")
@option_pairs
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
    cache: Path,
) -> None:
    """Train a baseline on the data set in FOLDER and save the model.

    Options (-o) are those of training, features and the baseline: `-o training.epochs=3 -o features.history_length=50
    -o baseline.field_options.plm.model=package:NAME`.
    """
    from genre.cli.progress import TerminalObserver
    from genre.dataset import load_dataset
    from genre.experiments import CellPlan, options_from, train_model
    from genre.experiments.models import check_override, overridden, overridden_training
    from genre.experiments.plan import BaselineOverride, located, located_word_vectors
    from genre.experiments.results import Cell
    from genre.modeling import FeatureSettings, TrainingSettings, check_model_folder, save_model
    from genre.options import structure
    from genre.settings import Layer, Settings, Table

    registry = registry_of(ctx)
    record = registry.baseline(baseline)
    given = Settings((Layer("command line", options_from(options)),))
    tables = {"baseline", "features", "training"}
    if stray := sorted(set(given.layers[0].data) - tables):
        raise UsageError(f"unknown option {stray[0]!r}", remedy=f"options start with {' or '.join(sorted(tables))}.")
    parts = located({"baseline": given.table("baseline")}, Path.cwd(), "baseline")
    override = structure(cast(Table, parts["baseline"]), BaselineOverride, "baseline")
    features = structure(given.table("features"), FeatureSettings, "features")
    features = located_word_vectors(features, Path.cwd())
    training = structure(given.table("training"), TrainingSettings, "training")
    check_override(override, features, "baseline")
    training = overridden_training(training, override, "baseline.training")
    plan = CellPlan(
        cell=Cell(folder.name, baseline, seed),
        baseline=overridden(record, override),
        features=features,
        training=training,
        fusion=fusion,
    )
    check_model_folder(out)
    dataset = load_dataset(folder)
    with TerminalObserver() as observer:
        trained = train_model(registry, dataset, plan, cache=cache, observer=observer)
    save_model(out, trained.model)
    best = next(report for report in trained.result.epochs if report.epoch == trained.result.best_epoch)
    figures = ", ".join(f"{name} {value:.4f}" for name, value in best.metrics.items())
    if trained.word_vector_share is not None:
        click.echo(f"word vectors: found for {trained.word_vector_share:.1%} of the vocabulary")
    click.echo(f"{out}: epoch {best.epoch} of {len(trained.result.epochs)} is best ({figures or 'no early stopping'})")


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
    cell = Cell(folder.name, trained.recommender.baseline.name, trained.seed)
    rows = [
        row
        for each in evaluate_model(trained, dataset, splits, cache=cache)
        for row in result_rows(cell, each.split, each.summary, leaked=leaked)
    ]
    if as_json:
        print_json({"rows": rows})
    else:
        results_table(rows)
