"""What crosses the borders of processes: prompts, answers, errors and settings as plain data."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TypeAlias

import attrs

from genre.errors import GenreError, RunError, UsageError
from genre.generation import StoredAnswer
from genre.parts import Completion, Message, Prompt, Sampling, Usage
from genre.settings import Layer, Settings

Failure: TypeAlias = tuple[str, str, str | None, str | None]
"""An error that a user can act on: its class, and what it says."""

SentLayers: TypeAlias = list[tuple[str, dict[str, object], str | None]]
"""Layers of settings: origin, tables, and the file."""

_KEYS = ("key", "question")


def prompt_text(prompt: Prompt) -> str:
    """A prompt as JSON, in ASCII."""
    return json.dumps(attrs.asdict(prompt))


def prompt_from(text: str) -> Prompt:
    """The prompt that `prompt_text` wrote."""
    values = json.loads(text)
    values["messages"] = tuple(Message(**message) for message in values["messages"])
    return Prompt(**{**values, "sampling": Sampling(**values["sampling"])})


def answer_text(answer: StoredAnswer) -> str:
    """An answer as JSON, in ASCII."""
    values = attrs.asdict(answer)
    return json.dumps(values | {name: values[name] and values[name].hex() for name in _KEYS})


def answer_from(text: str) -> StoredAnswer:
    """The answer that `answer_text` wrote."""
    values = json.loads(text)
    values |= {name: values[name] and bytes.fromhex(values[name]) for name in _KEYS}
    completion = values["completion"]
    return StoredAnswer(**{**values, "completion": Completion(**{**completion, "usage": Usage(**completion["usage"])})})


def failure_of(error: GenreError) -> Failure:
    """An error as plain data."""
    return type(error).__name__, error.message, error.where, error.remedy


def error_of(failure: Failure) -> GenreError:
    """The error that `failure_of` took apart; a class that is not known here is a `RunError`."""
    name, message, where, remedy = failure
    return (UsageError if name == UsageError.__name__ else RunError)(message, where=where, remedy=remedy)


def sent_layers(settings: Settings, generators: Collection[str]) -> SentLayers:
    """The tables that a worker needs: of plugins, and of the generators that it asks. Nothing else leaves.

    A secret is in them by the name of its environment variable only: the driver made these generators from the values
    that are sent, and refuses a key in clear text. Values that a higher layer replaces, which nobody checked, stay.
    """
    sent: SentLayers = []
    above: dict[str, object] = {}
    for layer in reversed(settings.layers):
        tables = _unreplaced(_sent_tables(layer.data, generators), above)
        sent.insert(0, (layer.origin, tables, None if layer.path is None else str(layer.path)))
        above = Settings((Layer(layer.origin, tables), Layer("above", above))).table()
    return sent


def settings_from(layers: SentLayers) -> Settings:
    """The settings that `sent_layers` took apart."""
    return Settings(tuple(Layer(origin, data, path and Path(path)) for origin, data, path in layers))  # type: ignore[arg-type]


def _unreplaced(tables: Mapping[str, object], above: Mapping[str, object]) -> dict[str, object]:
    """What no higher layer replaces, table by table, as layers merge."""
    kept: dict[str, object] = {}
    for name, value in tables.items():
        higher = above.get(name)
        if isinstance(value, Mapping) and isinstance(higher, Mapping):
            kept[name] = _unreplaced(value, higher)
        elif name not in above:
            kept[name] = value
    return kept


def _sent_tables(data: Mapping[str, object], generators: Collection[str]) -> dict[str, object]:
    instances = data.get("generators", {})
    tables: dict[str, object] = {"plugins": data["plugins"]} if "plugins" in data else {}
    if isinstance(instances, Mapping):
        tables["generators"] = {name: table for name, table in instances.items() if name in generators}
    return tables
