"""What the toy parts share: a registry that holds only them, and the names of the checks that a toy fails."""

from collections.abc import Mapping
from typing import Any

import attrs
import pluggy

from genre.parts import AnyPart, Baseline, Kind, Part, Task
from genre.registry import RegisteredPart, Registry
from genre.settings import Settings
from genre.testing import ConformanceError, checks


def toy_registry(*parts: tuple[Kind, AnyPart]) -> Registry:
    """A registry of these parts and no others, under no settings."""
    entries = {(kind, part.name): RegisteredPart(kind, part, "toys", True) for kind, part in parts}
    return Registry(Settings(()), pluggy.PluginManager("genre"), True, entries)


@attrs.frozen
class Unreadable:
    """Options with a type that no file can say."""

    size: int | complex = 0


def toy(name: str, target: str, options: str | None = None) -> Part:
    """A part whose code is in one of the toy modules."""
    return Part(name=name, summary="A toy", target=f"testing.{target}", options=options and f"testing.{options}")


def baseline(name: str, **flaws: str) -> Baseline:
    """A recommender of toy parts, some of which have a flaw."""
    options = {part: {"flaw": flaw} for part, flaw in flaws.items()}
    return Baseline(
        name=name,
        summary="A toy",
        field_encoders=dict.fromkeys(("text", "category", "entities", "vector"), "toy"),
        news_encoder="toy",
        user_encoder="toy",
        interaction="toy",
        loss="cross-entropy",
        dim=16,
        user_options=options.get("user", {}),
        interaction_options=options.get("interaction", {}),
    )


REGISTRY = toy_registry(
    ("dataset", toy("toy", "toy_datasets:read_toy", "toy_datasets:ToyOptions")),
    ("dataset", toy("unreadable", "toy_datasets:read_toy", "toys:Unreadable")),
    ("prompter", toy("toy", "toy_tasks:ToyPrompter", "toy_tasks:ToyOptions")),
    ("updater", toy("toy", "toy_tasks:ToyUpdater", "toy_tasks:ToyOptions")),
    ("prompter", toy("unused", "toy_tasks:ToyPrompter", "toy_tasks:ToyOptions")),
    ("updater", toy("unused", "toy_tasks:ToyUpdater", "toy_tasks:ToyOptions")),
    ("task", Task(name="toy", summary="A toy", prompter="toy", updater="toy")),
    ("generator", toy("toy", "toy_generators:ToyGenerator", "toy_generators:ToyOptions")),
    ("generator", toy("hanging", "toy_generators:Hanging", "toy_generators:ToyOptions")),
    ("generator", toy("limited", "toy_generators:Limited", "toy_generators:ToyOptions")),
    ("generator", toy("unreadable", "toy_generators:ToyGenerator", "toys:Unreadable")),
    ("gate", toy("toy", "toy_gates:ToyGate", "toy_gates:ToyOptions")),
    ("executor", toy("toy", "toy_executors:ToyExecutor", "toy_executors:ToyOptions")),
    ("tracker", toy("toy", "toy_trackers:ToyTracker", "toy_trackers:ToyOptions")),
    ("field-encoder", toy("toy", "toy_modules:ToyFieldEncoder", "toy_modules:ToyOptions")),
    ("field-encoder", toy("sharing", "toy_modules:SharingFieldEncoder", "toy_modules:ToyOptions")),
    ("news-encoder", toy("toy", "toy_modules:ToyNewsEncoder", "toy_modules:ToyOptions")),
    ("user-encoder", toy("toy", "toy_modules:ToyUserEncoder", "toy_modules:ToyOptions")),
    ("user-encoder", toy("aware", "toy_modules:AwareUserEncoder", "toy_modules:ToyOptions")),
    ("interaction", toy("toy", "toy_modules:ToyInteraction", "toy_modules:ToyOptions")),
    ("baseline", baseline("toy")),
    ("baseline", baseline("deaf", user="deaf")),
    ("baseline", baseline("lossy", interaction="lossy")),
    ("command", toy("toy", "toy_commands:toy")),
    ("command", toy("no-command", "toy_commands:no_command")),
    ("command", toy("silent", "toy_commands:silent")),
    ("command", toy("helpless", "toy_commands:helpless")),
)


def is_broken(law: str, kind: str, name: str = "toy", flaw: str | None = None) -> bool:
    """Whether one check fails, and says which law is broken, what was found, and what to do."""
    return broken_laws(kind, name, flaw, only=law) == {law}


def broken_laws(
    kind: str, name: str = "toy", flaw: str | None = None, *, only: str | None = None, **inputs: Any
) -> set[str]:
    """Names of the checks that fail so, of all or of one."""
    options: Mapping[str, object] = {} if flaw is None else {"flaw": flaw}
    failed = set()
    for check in checks(kind, name, options=options, registry=REGISTRY, **inputs):
        if only not in (None, str(check)):
            continue
        try:
            check()
        except ConformanceError as error:
            if error.law and error.found and error.remedy:
                failed.add(str(check))
    return failed
