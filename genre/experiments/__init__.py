"""Experiments: variants of a data set x baselines x seeds, and the steps that they are made of."""

from typing import TYPE_CHECKING, Final

from genre.lazy import importer

if TYPE_CHECKING:
    from genre.experiments.checking import check_folder, check_reader
    from genre.experiments.enrichment import Enriched, enrich_variants, rehearse_rounds
    from genre.experiments.estimate import Estimate, estimate_experiment, estimate_folder
    from genre.experiments.export import export_model
    from genre.experiments.inspection import describe_news, describe_readers
    from genre.experiments.model_folders import load
    from genre.experiments.models import CellPlan, evaluate_model, train_model
    from genre.experiments.observer import Observer
    from genre.experiments.plan import DatasetSpec, Experiment, Halve, VariantSpec, load_experiment, options_from
    from genre.experiments.recommendation import Recommendations, RecommendedNews, recommend
    from genre.experiments.run import RunResult, quickstart, run_experiment
    from genre.experiments.statistics.bootstrap import Interval, bootstrap_interval, paired_difference
    from genre.experiments.statistics.gains import Comparison, Gain
    from genre.experiments.statistics.permutation import detectable_difference, holm, permutation_test
    from genre.experiments.statistics.summary import Summary, summarize_run
    from genre.experiments.steps import enrich_folder, import_dataset, read_dataset
    from genre.experiments.submission import write_submission
    from genre.experiments.submission_check import Problem, check_submission

_HOMES: Final = {
    "CellPlan": "models",
    "Comparison": "statistics.gains",
    "DatasetSpec": "plan",
    "Enriched": "enrichment",
    "Estimate": "estimate",
    "Experiment": "plan",
    "Gain": "statistics.gains",
    "Halve": "plan",
    "Interval": "statistics.bootstrap",
    "Observer": "observer",
    "Problem": "submission_check",
    "Recommendations": "recommendation",
    "RecommendedNews": "recommendation",
    "RunResult": "run",
    "Summary": "statistics.summary",
    "VariantSpec": "plan",
    "bootstrap_interval": "statistics.bootstrap",
    "check_folder": "checking",
    "check_reader": "checking",
    "check_submission": "submission_check",
    "describe_news": "inspection",
    "describe_readers": "inspection",
    "detectable_difference": "statistics.permutation",
    "enrich_folder": "steps",
    "enrich_variants": "enrichment",
    "estimate_experiment": "estimate",
    "estimate_folder": "estimate",
    "evaluate_model": "models",
    "export_model": "export",
    "import_dataset": "steps",
    "load": "model_folders",
    "holm": "statistics.permutation",
    "load_experiment": "plan",
    "options_from": "plan",
    "paired_difference": "statistics.bootstrap",
    "permutation_test": "statistics.permutation",
    "quickstart": "run",
    "read_dataset": "steps",
    "recommend": "recommendation",
    "rehearse_rounds": "enrichment",
    "run_experiment": "run",
    "summarize_run": "statistics.summary",
    "train_model": "models",
    "write_submission": "submission",
}

__all__ = [
    "CellPlan",
    "Comparison",
    "DatasetSpec",
    "Enriched",
    "Estimate",
    "Experiment",
    "Gain",
    "Halve",
    "Interval",
    "Observer",
    "Problem",
    "Recommendations",
    "RecommendedNews",
    "RunResult",
    "Summary",
    "VariantSpec",
    "bootstrap_interval",
    "check_folder",
    "check_reader",
    "check_submission",
    "describe_news",
    "describe_readers",
    "detectable_difference",
    "enrich_folder",
    "enrich_variants",
    "estimate_experiment",
    "estimate_folder",
    "evaluate_model",
    "export_model",
    "holm",
    "import_dataset",
    "load",
    "load_experiment",
    "options_from",
    "paired_difference",
    "permutation_test",
    "quickstart",
    "read_dataset",
    "recommend",
    "rehearse_rounds",
    "run_experiment",
    "summarize_run",
    "train_model",
    "write_submission",
]


__getattr__ = importer(__name__, _HOMES)
