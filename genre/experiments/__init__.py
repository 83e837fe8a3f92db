"""Experiments: variants of a data set x baselines x seeds, and the steps that they are made of."""

from typing import TYPE_CHECKING, Final

from genre.lazy import importer

if TYPE_CHECKING:
    from genre.experiments.enrichment import Enriched, enrich_variants
    from genre.experiments.inspection import describe_news, describe_readers
    from genre.experiments.models import CellPlan, evaluate_model, train_model
    from genre.experiments.observer import Observer
    from genre.experiments.plan import DatasetSpec, Experiment, Halve, VariantSpec, load_experiment, options_from
    from genre.experiments.run import RunResult, quickstart, run_experiment
    from genre.experiments.steps import enrich_folder, import_dataset, read_dataset

_HOMES: Final = {
    "CellPlan": "models",
    "DatasetSpec": "plan",
    "Enriched": "enrichment",
    "Experiment": "plan",
    "Halve": "plan",
    "Observer": "observer",
    "RunResult": "run",
    "VariantSpec": "plan",
    "describe_news": "inspection",
    "describe_readers": "inspection",
    "enrich_folder": "steps",
    "enrich_variants": "enrichment",
    "evaluate_model": "models",
    "import_dataset": "steps",
    "load_experiment": "plan",
    "options_from": "plan",
    "quickstart": "run",
    "read_dataset": "steps",
    "run_experiment": "run",
    "train_model": "models",
}

__all__ = [
    "CellPlan",
    "DatasetSpec",
    "Enriched",
    "Experiment",
    "Halve",
    "Observer",
    "RunResult",
    "VariantSpec",
    "describe_news",
    "describe_readers",
    "enrich_folder",
    "enrich_variants",
    "evaluate_model",
    "import_dataset",
    "load_experiment",
    "options_from",
    "quickstart",
    "read_dataset",
    "run_experiment",
    "train_model",
]


__getattr__ = importer(__name__, _HOMES)
