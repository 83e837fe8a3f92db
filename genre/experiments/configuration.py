"""What is set, and by whom: the tables of registry.toml in all their layers, and an experiment with its defaults."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, get_args

import attrs

from genre.errors import UsageError
from genre.experiments.plan import Experiment, changes_registry, load_experiment, options_from, plain, registry_under
from genre.generation.instances import InstanceKind
from genre.options import HIDDEN, Secret, option_names, secret_names, without_password
from genre.registry import Registry, options_class_of
from genre.settings import TABLES, Layer, Settings, place_of, read_toml

DEFAULT: Final = "default"
_SECRET: Final = re.compile(r"key|token(?!i)|secret|password|credential|authorization", re.IGNORECASE)


@attrs.frozen
class ConfiguredValue:
    """One value.

    Attributes:
        key: dotted, as in the file.
        value: JSON values only.
        origin: the file that says so, with the line as far as it can be told; `"command line"`; or `"default"`.
    """

    key: str
    value: object
    origin: str


def configuration(
    registry: Registry, experiment: Path | None = None, changes: Iterable[str] = ()
) -> list[ConfiguredValue]:
    """Every value of registry.toml that some layer sets, and with an experiment also all of its own, defaults included.

    Args:
        changes: as of `load_experiment`.

    Raises:
        UsageError: a file is not as it should be, or there are changes of nothing.
    """
    changes = tuple(changes)
    if experiment is None:
        if changes:
            raise UsageError(
                "there is no experiment that could be changed", remedy="name an experiment file before --set"
            )
        return list(_of_registry(registry))
    loaded = load_experiment(experiment, changes)
    return [*_of_experiment(loaded, experiment, changes), *_of_registry(registry_under(loaded, registry))]


def _of_registry(registry: Registry) -> Iterator[ConfiguredValue]:
    settings, secrets = registry.settings, set(_declared_secrets(registry))
    for table in TABLES:
        for path, value in _leaves({name: plain(each) for name, each in settings.table(table).items()}, (table,)):
            shown = HIDDEN if path[:3] in secrets and not _is_variable(value) else _shown(path, value)
            yield ConfiguredValue(".".join(path), shown, _origin(settings, path))


def _declared_secrets(registry: Registry) -> Iterator[tuple[str, ...]]:
    """Options of instances that their parts declare as secrets, whatever they are called."""
    for kind in get_args(InstanceKind):
        table = f"{kind}s"
        for name, said in registry.settings.table(table).items():
            plugin = said.get("plugin", name) if isinstance(said, Mapping) else name
            for entry in registry.parts(kind):
                if entry.part.name == plugin and (cls := options_class_of(kind, entry.part)):
                    yield from ((table, name, option) for option in secret_names(cls))


def _of_experiment(experiment: Experiment, file: Path, changes: Iterable[str]) -> Iterator[ConfiguredValue]:
    # Tables of trackers say which are wanted, too.
    said = {name: value for name, value in read_toml(file).items() if name not in TABLES or name == "trackers"}
    changed = options_from(change for change in changes if not changes_registry(change))
    layers = Settings((Layer("experiment", said, file), Layer("command line", changed)))

    values = {name: value for name, value in experiment.described().items() if name != "path"}
    for path, value in _leaves(values, ()):
        yield ConfiguredValue(".".join(path), _shown(path, value), _origin(layers, path))


def _origin(layers: Settings, path: tuple[str, ...]) -> str:
    """Who says the value. Of a list that a layer says, no other says a part."""
    for layer in reversed(layers.layers):
        value: object = layer.data
        in_list = False
        for name in path:
            if isinstance(value, Mapping) and name in value:
                value = value[name]
            elif isinstance(value, list):
                in_list, value = True, value[int(name)]
            else:
                break
        else:
            return place_of(layer, path)
        if in_list:
            return DEFAULT
    return DEFAULT


def _leaves(table: Mapping[str, object], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    """The values of nested tables, those in lists by their number from 0; an empty table is a value."""
    for name, value in table.items():
        place = (*path, str(name))
        if isinstance(value, list | tuple) and any(isinstance(each, Mapping) for each in value):
            value = {str(number): each for number, each in enumerate(value)}  # noqa: PLW2901
        if isinstance(value, Mapping) and value and not _is_variable(value):
            yield from _leaves(value, place)
        else:
            yield place, value


def _is_variable(value: object) -> bool:
    """Whether it is `{ env = "NAME" }`, which tells where a secret is and not what it is."""
    return isinstance(value, Mapping) and set(value) == set(option_names(Secret))


def _shown(path: tuple[str, ...], value: object) -> object:
    """A key in clear text is refused when it is used, and not shown before; nor is a password in an address.

    By its name, since what no part declares, as a misspelt `api_kye`, may be a key as well.
    """
    if isinstance(value, Mapping) and _is_variable(value):
        return f"${value['env']}"
    names = {*path[2:], path[-1]}  # a table of registry.toml and what it describes may be called anything
    hides = path[0] not in ("features", "training") and any(map(_SECRET.search, names))
    if hides and value and isinstance(value, str | list):
        return HIDDEN
    if isinstance(value, list):
        return [_shown(path, each) for each in value]
    return without_password(value) if isinstance(value, str) else value
