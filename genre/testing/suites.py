"""`checks`: the conformance suite of a part, by its kind."""

import inspect
from collections.abc import Callable, Mapping
from typing import Final, cast

from genre.discovery import load_import_string
from genre.errors import UsageError, nearest
from genre.parts import Kind
from genre.registry import Registry
from genre.testing.check import Check
from genre.testing.subject import Subject

SUITES: Final[Mapping[Kind, str]] = {
    "dataset": "genre.testing.datasets:dataset_checks",
    "prompter": "genre.testing.round_parts:round_part_checks",
    "updater": "genre.testing.round_parts:round_part_checks",
    "task": "genre.testing.tasks:task_checks",
    "generator": "genre.testing.generators:generator_checks",
    "gate": "genre.testing.round_parts:round_part_checks",
    "executor": "genre.testing.executors:executor_checks",
    "tracker": "genre.testing.trackers:tracker_checks",
    "command": "genre.testing.commands:command_checks",
    "field-encoder": "genre.testing.news_parts:field_encoder_checks",
    "news-encoder": "genre.testing.news_parts:news_encoder_checks",
    "user-encoder": "genre.testing.scoring_parts:user_encoder_checks",
    "interaction": "genre.testing.scoring_parts:interaction_checks",
    "baseline": "genre.testing.baselines:baseline_checks",
}
"""The suite of each kind: what is called with the `Subject` and the kind's inputs as keywords."""


def checks(
    kind: str,
    name: str,
    *,
    options: Mapping[str, object] | None = None,
    registry: Registry | None = None,
    **inputs: object,
) -> list[Check]:
    """The laws of a part's kind, held against the part. Nothing is built until a check is called.

    Args:
        kind: what the part plugs into, such as `"generator"`.
        name: its name.
        options: its options, as registry.toml writes them (a path is a text).
        registry: where the part is registered; default: every plugin that is installed here.
        inputs: what the suite of this kind takes, such as `dataset` and `task`; see `docs/reference/testing.md`.

    Raises:
        UsageError: there is no suite for the kind, no such part, or no such input.
    """
    if kind not in SUITES:
        raise UsageError(f"there are no conformance checks for the kind {kind!r}", remedy=nearest(kind, SUITES))
    known = cast(Kind, kind)
    subject = Subject(registry or Registry.load(), known, name, dict(options or {}))
    subject.registry.get(known, name)
    suite = cast(Callable[..., list[Check]], load_import_string(SUITES[known]))
    takes = [each.name for each in inspect.signature(suite).parameters.values() if each.kind is each.KEYWORD_ONLY]
    for given in inputs:
        if given not in takes:
            raise UsageError(f"the checks of a {kind} take no {given!r}", remedy=nearest(given, takes))
    return suite(subject, **inputs)
