"""GENRE: LLM-powered generative news recommendation, made of plugins.

The steps of the command line are functions here. They are imported on first use: `import genre` loads neither torch nor
litellm.
"""

from typing import TYPE_CHECKING, Final

from genre.hooks import hookimpl
from genre.lazy import importer
from genre.version import __version__

if TYPE_CHECKING:
    from genre.dataset import Dataset, load_dataset, save_dataset
    from genre.experiments import (
        CellPlan,
        Experiment,
        Observer,
        Recommendations,
        check_folder,
        check_reader,
        check_submission,
        enrich_folder,
        estimate_experiment,
        estimate_folder,
        evaluate_model,
        export_model,
        import_dataset,
        load,
        load_experiment,
        quickstart,
        read_dataset,
        recommend,
        run_experiment,
        train_model,
        write_submission,
    )
    from genre.modeling import load_model, save_model
    from genre.registry import Registry
    from genre.report import write_report
    from genre.settings import load_settings

_HOMES: Final = {
    "CellPlan": "experiments",
    "Dataset": "dataset",
    "Experiment": "experiments",
    "Observer": "experiments",
    "Recommendations": "experiments",
    "Registry": "registry",
    "check_folder": "experiments",
    "check_reader": "experiments",
    "check_submission": "experiments",
    "enrich_folder": "experiments",
    "estimate_experiment": "experiments",
    "estimate_folder": "experiments",
    "evaluate_model": "experiments",
    "export_model": "experiments",
    "import_dataset": "experiments",
    "load": "experiments",
    "load_dataset": "dataset",
    "load_experiment": "experiments",
    "load_model": "modeling",
    "load_settings": "settings",
    "quickstart": "experiments",
    "read_dataset": "experiments",
    "recommend": "experiments",
    "run_experiment": "experiments",
    "save_dataset": "dataset",
    "save_model": "modeling",
    "train_model": "experiments",
    "write_report": "report",
    "write_submission": "experiments",
}

__all__ = [
    "CellPlan",
    "Dataset",
    "Experiment",
    "Observer",
    "Recommendations",
    "Registry",
    "__version__",
    "check_folder",
    "check_reader",
    "check_submission",
    "enrich_folder",
    "estimate_experiment",
    "estimate_folder",
    "evaluate_model",
    "export_model",
    "hookimpl",
    "import_dataset",
    "load",
    "load_dataset",
    "load_experiment",
    "load_model",
    "load_settings",
    "quickstart",
    "read_dataset",
    "recommend",
    "run_experiment",
    "save_dataset",
    "save_model",
    "train_model",
    "write_report",
    "write_submission",
]


__getattr__ = importer(__name__, _HOMES)
