"""The keys of registry.toml and of experiment files."""

from collections.abc import Iterator, Sequence
from typing import Final

from from_code.markdown import options_table
from from_code.parts import answer_options
from genre.discovery import PluginSettings
from genre.experiments.plan import BaselineOverride, DatasetSpec, Experiment, Halve, VariantSpec
from genre.generation import Limits, RoundSpec
from genre.modeling import FeatureSettings, TrainingSettings
from genre.option_docs import described_options
from genre.settings import TABLES

_KEYS: Final[Sequence[tuple[str, str, type]]] = (
    ("`[dataset]`", "dataset", DatasetSpec),
    ("`[dataset] halve`", "halve", Halve),
    ("`[[variants]]`", "variants", VariantSpec),
    ("`rounds` of a variant", "rounds", RoundSpec),
    ("`[features]`", "features", FeatureSettings),
    ("`[training]`", "training", TrainingSettings),
    ("`[overrides.BASELINE]`", "overrides", BaselineOverride),
)
_NOT_IN_FILES: Final = {Experiment: ("settings", "path"), FeatureSettings: ("text_version", "tokenizers")}
"""Filled in by genre: what the file itself says otherwise, or what follows from the parts."""


def experiment() -> str:
    """Every key of an experiment file."""
    return "\n\n".join(_experiment())


def _experiment() -> Iterator[str]:
    yield f"### The file itself\n\n{_table(Experiment)}"
    yield f"The tables {_names()} of registry.toml may stand here, too: see [registry.toml](settings.md)."
    for title, _, cls in _KEYS:
        yield f"### {title}\n\n{_table(cls)}"


def _names() -> str:
    return ", ".join(f"`{name}`" for name in TABLES)


def _table(cls: type) -> str:
    return options_table(cls, "an experiment file", skip=_NOT_IN_FILES.get(cls, ()))


def explained() -> frozenset[type]:
    """Classes whose keys are told here; whatever table an option holds has to be among them."""
    return frozenset({Experiment, *(cls for _, _, cls in _KEYS)})


def unexplained() -> set[type]:
    """Classes of tables in experiment files of which nothing is told."""
    held = {each for cls in explained() for option in described_options(cls) for each in option.tables}
    return {each for each in held if each not in explained() and each.__name__ != "Settings"}


def registry() -> str:
    """Every table of registry.toml."""
    told = {
        "plugins": f"Which parts are on, and folders of plugin files.\n\n{options_table(PluginSettings, 'plugins')}",
        "generators": (
            "`[generators.NAME]` names an instance. `plugin` says which [generator](parts/generators.md) it is "
            "(the instance's own name by default), the other keys are its options, and `limits` says how hard it is "
            f"driven:\n\n{options_table(Limits, 'limits')}"
        ),
        "executors": "`[executors.NAME]`: `plugin` and the options of an [executor](parts/executors.md).",
        "trackers": "`[trackers.NAME]`: `plugin` and the options of a [tracker](parts/trackers.md).",
        "tasks": (
            "`[tasks.NAME]`: options of a [task](parts/tasks.md), which are those of its prompter and its updater, "
            "and `generator`, the instance that serves it. `gates` is a table of [gates](gates.md). "
            f"Every task has\n\n{answer_options()}"
        ),
        "defaults": "`generator` and `executor`: names of the instances that are used where nothing else is said.",
    }
    return "\n\n".join(f"## `[{name}]`\n\n{told[name]}" for name in TABLES)
