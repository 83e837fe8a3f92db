"""Python: functions of `genre`, contracts of `genre.parts`, and the kit `genre.testing`, by way of autodoc."""

import inspect
from types import ModuleType
from typing import Final

import genre
import genre.testing
from from_code.markdown import documented
from genre import parts

FURTHER: Final = (
    "dataset.LineageEntry", "dataset.checks.Finding", "dataset.checks.findings.Kind", "errors.GenreError",
    "errors.RunError", "errors.RunVetoed", "errors.UsageError", "experiments.enrichment.Enriched",
    "experiments.estimate.Estimate", "experiments.models.Evaluated", "experiments.models.Trained",
    "experiments.plan.BaselineOverride", "experiments.plan.DatasetSpec", "experiments.plan.Halve",
    "experiments.plan.VariantSpec", "experiments.recommendation.RecommendedNews", "experiments.results.Cell",
    "experiments.run.RunResult", "experiments.submission_check.Problem", "generation.Cost", "generation.ModelReport",
    "generation.RoundProgress", "generation.RoundReport", "generation.RoundSpec",
    "generation.estimates.RoundEstimate", "generation.estimates.RouteEstimate", "modeling.CheckpointSettings",
    "modeling.FeatureSettings", "modeling.TrainingSettings", "modeling.checkpoint.TrainedModel",
    "modeling.processes.Processes", "modeling.profiling.Profile", "modeling.fusion.InterestFusion",
    "modeling.news_tower.NewsTower", "modeling.provenance.Provenance", "modeling.recommender.Recommender",
    "modeling.training.TrainingResult", "modeling.training_state.EpochReport", "modeling.vocabulary.Vocabulary",
    "registry.RegisteredPart", "settings.Layer", "settings.Settings",
)  # fmt: skip
"""Classes that `genre` does not offer by itself and that its functions speak of; Sphinx names one that is missing."""


def public(module: ModuleType) -> dict[str, object]:
    """What a package offers, by name; each has to say what it is.

    Raises:
        Undocumented: a class or function does not.
    """
    offered = {name: getattr(module, name) for name in module.__all__}
    for name, each in offered.items():
        if inspect.isclass(each) or inspect.isfunction(each):
            documented(each.__doc__, f"{module.__name__}.{name}")
    return offered


def functions() -> str:
    """Functions of `genre`, its classes, and what they take and return."""
    further = "\n".join(["```{eval-rst}", *(f".. autoclass:: genre.{name}\n" for name in FURTHER), "```"])
    return "\n\n".join(
        [
            *("## Functions", _autodoc(genre, classes=False), "## Classes", _autodoc(genre, classes=True)),
            *("## What they take and return", further),
        ]
    )


def contracts() -> str:
    """Records, contracts and errors of `genre.parts`."""
    return f"{_autodoc(parts, classes=True)}\n\n## Functions\n\n{_autodoc(parts, classes=False)}"


def testing() -> str:
    """What the kit offers."""
    return f"{_autodoc(genre.testing, classes=False)}\n\n{_autodoc(genre.testing, classes=True)}"


def _autodoc(module: ModuleType, *, classes: bool) -> str:
    lines = []
    for name, each in public(module).items():
        if classes and inspect.isclass(each):
            kind = "autoexception" if issubclass(each, Exception) else "autoclass"
            lines += [f".. {kind}:: {module.__name__}.{name}", "   :members:", ""]
        elif not classes and inspect.isfunction(each):
            lines += [f".. autofunction:: {module.__name__}.{name}", ""]
    return "\n".join(["```{eval-rst}", *lines, "```"])
