"""What is sent to other processes as plain data: errors and settings."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TypeAlias

from genre.errors import GenreError, RunError, UsageError
from genre.settings import Layer, Settings

Failure: TypeAlias = tuple[str, str, str | None, str | None]
"""An error that a user can act on: its class, and what it says."""

SentLayers: TypeAlias = list[tuple[str, dict[str, object], str | None]]
"""Layers of settings: origin, tables, and the file."""


def failure_of(error: GenreError) -> Failure:
    """An error as plain data."""
    return type(error).__name__, error.message, error.where, error.remedy


def failure_of_a_job(error: Exception, where: str) -> Failure:
    """An error in a job that is no user's mistake, as plain data: what it is called and what it says."""
    remedy = "its traceback tells more; finished work is kept, and the same call goes on from there"
    return failure_of(RunError(f"a job failed: {type(error).__name__}: {error}", where=where, remedy=remedy))


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
    return Settings(tuple(Layer(origin, data, None if path is None else Path(path)) for origin, data, path in layers))


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
