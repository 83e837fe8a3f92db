"""registry.toml: layers of settings that remember where each value came from.

Precedence, lowest first: built-in defaults, the user's file, the project's file, the experiment, the command line.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, get_args

import attrs
import click

from genre.errors import UsageError, nearest

FILE_NAME: Final = "registry.toml"
TABLES: Final = ("plugins", "generators", "executors", "trackers", "tasks", "defaults")
"""What a registry.toml may hold."""
Table = dict[str, object]


@attrs.frozen
class Layer:
    """One source of settings: its name for messages, the file behind it (if any), and what it says."""

    origin: str
    data: Mapping[str, object]
    path: Path | None = None


@attrs.frozen
class Settings:
    """Merged settings that remember where each value came from.

    Attributes:
        layers: lowest precedence first.
    """

    layers: tuple[Layer, ...]

    def table(self, *path: str) -> Table:
        """The merged table at `path`; empty when no layer has it. Sub-tables merge, other values replace.

        Raises:
            UsageError: some layer has a value there that is not a table.
        """
        merged: Table = {}
        for layer in self.layers:
            value = _lookup(layer, path)
            if value is not None:
                _merge(merged, value)
        return merged

    def origin(self, *path: str) -> Layer | None:
        """The layer that decides the value at `path`."""
        for layer in reversed(self.layers):
            *parents, name = path
            table = _lookup(layer, tuple(parents))
            if table is not None and name in table:
                return layer
        return None

    def located(self, cls: type, *path: str) -> Table:
        """The merged table at `path` in which relative paths are resolved against the file that says them.

        Args:
            cls: the attrs class of the table's options; tells which of them are paths.
        """
        table = self.table(*path)
        for field in attrs.fields(attrs.resolve_types(cls)):
            if field.name in table and _holds_paths(field.type):
                value = table[field.name]
                if isinstance(value, dict):  # layers merge in it: each of its values has a file of its own
                    table[field.name] = {
                        name: self._located(each, *path, field.name, name) for name, each in value.items()
                    }
                else:
                    table[field.name] = self._located(value, *path, field.name)
        return table

    def _located(self, value: object, *path: str) -> object:
        layer = self.origin(*path)
        try:
            return resolve_paths(value, layer.path.parent if layer and layer.path else Path())
        except UsageError as error:
            raise UsageError(error.message, where=self.where(*path), remedy=error.remedy) from error

    def where(self, *path: str) -> str:
        """File and line (as far as they can be told) and key of the value at `path`, for messages."""
        layer = self.origin(*path)
        key = ".".join(path)
        if layer is None:
            return key
        return f"{place_of(layer, path)}, {key}"

    def over(self, layer: Layer) -> "Settings":
        """These settings with one more layer, of the highest precedence."""
        return Settings((*self.layers, layer))


def place_of(layer: Layer, path: tuple[str, ...]) -> str:
    """File and line of the value at `path`, or of the narrowest table around it; without a file, the layer's name.

    Args:
        path: keys, and for what is in a list its number from 0.
    """
    if layer.path is None:
        return layer.origin
    lines = (_line_of(layer.path, path[: length + 1]) for length in reversed(range(len(path))))
    line = next(filter(None, lines), None)  # its own, or that of the inline table that it is in
    return f"{layer.path}:{line}" if line else str(layer.path)


def load_settings(start: Path | None = None) -> Settings:
    """The built-in, the user's and the project's registry.toml (searched upwards from `start`).

    Raises:
        UsageError: a file is not TOML, or has a top-level table that nobody knows.
    """
    builtin = builtin_registry_path()
    found = [("built-in defaults", builtin), ("user", Path(click.get_app_dir("genre")) / FILE_NAME)]
    here = (start or Path.cwd()).resolve()
    project = next((folder / FILE_NAME for folder in (here, *here.parents) if (folder / FILE_NAME).exists()), None)
    if project is not None and project != builtin:
        found.append(("project", project))
    return Settings(tuple(read_layer(origin, path) for origin, path in found if path.exists()))


def builtin_registry_path() -> Path:
    """The registry.toml that ships with genre: inside the wheel, or at the root of a checkout."""
    package = Path(__file__).resolve().parent
    packaged = package / FILE_NAME
    return packaged if packaged.is_file() else package.parent / FILE_NAME


def read_layer(origin: str, path: Path) -> Layer:
    """One registry.toml.

    Raises:
        UsageError: it is not TOML, or has an unknown top-level table.
    """
    data = read_toml(path)
    for name in data:
        if name not in TABLES:
            line = _line_of(path, (name,))
            raise UsageError(
                f"unknown table {name!r}",
                where=f"{path}:{line}" if line else path,
                remedy=nearest(name, TABLES),
            )
    return Layer(origin, data, path)


def read_toml(path: Path) -> Table:
    """A TOML file.

    Raises:
        UsageError: the file is missing or not TOML (the message has the line).
    """
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError as error:
        raise UsageError("there is no such file", where=path, remedy="check the path") from error
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=path, remedy="check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"not valid TOML: {error}", where=path, remedy="correct the line") from error


def resolve_paths(value: object, base: Path) -> object:
    """A path, or a list of paths, relative to `base`; anything else as it is, for `structure` to refuse."""
    if isinstance(value, list):
        return [resolve_paths(item, base) for item in value]
    if isinstance(value, Mapping):
        return {name: resolve_paths(item, base) for name, item in value.items()}
    if not isinstance(value, str):
        return value
    try:
        return str(base / Path(value).expanduser())
    except RuntimeError as error:
        raise UsageError(f"{value!r}: {error}", remedy="write the path without ~") from error


def _holds_paths(annotation: object) -> bool:
    return annotation is Path or any(_holds_paths(part) for part in get_args(annotation))


def _lookup(layer: Layer, path: tuple[str, ...]) -> Mapping[str, object] | None:
    value: object = layer.data
    for depth, name in enumerate(path):
        if not isinstance(value, Mapping) or name not in value:
            return None
        value = value[name]
        if not isinstance(value, Mapping):
            key = ".".join(path[: depth + 1])
            raise UsageError(
                f"{key} is {value!r}, and a table is expected",
                where=layer.path or layer.origin,
                remedy=f"write [{key}] and its options below it",
            )
    assert isinstance(value, Mapping)
    return value


def _merge(target: Table, addition: Mapping[str, object]) -> None:
    for name, value in addition.items():
        existing = target.get(name)
        if isinstance(existing, dict) and isinstance(value, Mapping):
            _merge(existing, value)
        elif isinstance(value, Mapping):
            copy: Table = {}
            _merge(copy, value)
            target[name] = copy
        else:
            target[name] = value


def _line_of(path: Path, keys: tuple[str, ...]) -> int | None:
    """The line of a key, found by its header and its name; tomllib does not keep lines. None when unsure."""
    header: tuple[str, ...] = ()
    last: dict[tuple[str, ...], int] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:  # gone since it was read; the message does without the line
        return None
    for number, line in enumerate(lines, start=1):
        if match := re.match(r"\s*(\[+)([^\]]+)\]+", line):
            names = tuple(part.strip().strip("\"'") for part in match[2].split("."))
            header = _header(names, last, item=len(match[1]) > 1)
            # `[a.b]` makes the table `a`, too.
            if header[: len(keys)] == keys:
                return number
        elif (match := re.match(r"\s*[\"']?([\w.-]+)[\"']?\s*=", line)) and (
            (*header, *match[1].split("."))[: len(keys)] == keys
        ):
            return number
    return None


def _header(names: tuple[str, ...], last: dict[tuple[str, ...], int], *, item: bool) -> tuple[str, ...]:
    """The keys of a header, with numbers of items of lists.

    Args:
        last: number of the last item of each list so far; one more is noted here.
        item: whether the header is `[[names]]`.
    """
    header: tuple[str, ...] = ()
    for name in names[:-1] if item else names:
        header = (*header, name)
        if header in last:
            header = (*header, str(last[header]))
    if item:
        place = (*header, names[-1])
        last[place] = last.get(place, -1) + 1
        header = (*place, str(last[place]))
    return header
