"""registry.toml: layers of settings, and options structured into attrs classes with errors that help.

Precedence, lowest first: built-in defaults, the user's file, the project's file, the experiment, the command line.
"""

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import GenericAlias
from typing import Any, Final, Literal, TypeVar, get_args, get_origin

import attrs
import cattrs
import click
from cattrs.errors import (
    AttributeValidationNote,
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.gen import make_mapping_structure_fn

from genre.errors import UsageError, nearest

FILE_NAME: Final = "registry.toml"
Table = dict[str, object]
T = TypeVar("T")


@attrs.frozen
class Layer:
    """One source of settings: its name for messages, the file behind it (if any), and what it says."""

    origin: str
    data: Mapping[str, object]
    path: Path | None = None


@attrs.frozen
class Secret:
    """A secret by the name of its environment variable; its value is read when it is used and never shown."""

    env: str

    def reveal(self) -> str:
        """The value.

        Raises:
            UsageError: the variable is not set, or holds what no header of HTTP may hold, such as the end of a line.
        """
        value = os.environ.get(self.env, "")
        if not value:
            raise UsageError(
                f"the environment variable {self.env} is not set, and an API key is read from it",
                remedy=f"export {self.env}=... and run the command again",
            )
        if not (value.isascii() and value.isprintable()):
            raise UsageError(
                f"the environment variable {self.env} holds a character that no API key has, such as the end of a line",
                remedy=f"export {self.env}=... with the key alone",
            )
        return value


@attrs.frozen
class _NoSecret(Secret):
    """Stands for a secret where nothing is asked."""

    def reveal(self) -> str:
        """A text that is no secret."""
        return "not-read"


def without_secrets(options: object) -> object:
    """The same options, whose secrets are not read: for those who make a part and ask it nothing that needs a key."""
    cls = type(options)
    if not attrs.has(cls):
        return options
    held = {field.alias: getattr(options, field.name) for field in attrs.fields(cls) if field.init}
    hidden = {name: _NoSecret(value.env) for name, value in held.items() if isinstance(value, Secret)}
    return cls(**{**held, **hidden})


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
        if layer.path is None:
            return f"{layer.origin}, {key}"
        line = _line_of(layer.path, path)
        return f"{layer.path}:{line}, {key}" if line else f"{layer.path}, {key}"

    def over(self, layer: Layer) -> "Settings":
        """These settings with one more layer, of the highest precedence."""
        return Settings((*self.layers, layer))


def load_settings(start: Path | None = None) -> Settings:
    """The built-in, the user's and the project's registry.toml (searched upwards from `start`).

    Raises:
        UsageError: a file is not TOML, or has a top-level table that nobody knows.
    """
    builtin = builtin_registry_path()
    found = [("built-in defaults", builtin), ("user", Path(click.get_app_dir("genre")) / FILE_NAME)]
    here = (start or Path.cwd()).resolve()
    project = next((folder / FILE_NAME for folder in (here, *here.parents) if (folder / FILE_NAME).is_file()), None)
    if project is not None and project != builtin:
        found.append(("project", project))
    return Settings(tuple(read_layer(origin, path) for origin, path in found if path.is_file()))


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
    known = {"plugins", "generators", "executors", "tasks", "defaults"}
    for name in data:
        if name not in known:
            line = _line_of(path, (name,))
            raise UsageError(
                f"unknown table {name!r}",
                where=f"{path}:{line}" if line else path,
                remedy=nearest(name, known),
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


def structure(values: Mapping[str, object], cls: type[T], where: str) -> T:
    """Build an options class from plain values: strictly, and with an error that names the key and the remedy.

    Args:
        values: what a configuration file says.
        cls: an attrs class.
        where: file and key of the table, for messages.

    Raises:
        UsageError: an unknown option, a missing one, or a value of the wrong type or outside its range.
    """
    try:
        return _converter().structure(dict(values), cls)
    except ClassValidationError as error:
        raise _explain(error, where) from error


def option_names(cls: type) -> tuple[str, ...]:
    """Names of a class's options."""
    return tuple(field.name for field in attrs.fields(cls))


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


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=True)
    for scalar in (str, bool, int, float):
        converter.register_structure_hook(scalar, _strict_scalar)
    converter.register_structure_hook(Path, lambda value, _: Path(_strict_scalar(value, str)).expanduser())
    converter.register_structure_hook(Secret, _structure_secret)
    converter.register_structure_hook_func(lambda cls: cls is object, lambda value, _: value)
    converter.register_structure_hook_factory(_is(tuple), _list_as_tuple)
    converter.register_structure_hook_factory(_is(dict, Mapping), _table_as_mapping)
    converter.register_structure_hook_factory(_is(Literal), _one_of)
    converter.register_structure_hook_factory(attrs.has, _table_as_class)
    return converter


def _is(*origins: object) -> Callable[[Any], bool]:
    """Whether a type is of one of these, such as `tuple[int, ...]` of `tuple`."""
    return lambda cls: get_origin(cls) in origins


def _list_as_tuple(cls: Any, converter: cattrs.Converter) -> Callable[[Any, Any], Any]:
    """A list only: the letters of a text are also a sequence, and nobody means them."""
    kinds = get_args(cls)
    many = kinds[1:] == (...,)
    items: Any = GenericAlias(list, kinds[:1])
    structure_items = converter.get_structure_hook(items) if many else None

    def structure_tuple(value: Any, _: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise TypeError(f"{value!r} is no list")
        if structure_items is not None:
            return tuple(structure_items(value, items))
        if len(value) != len(kinds):
            raise ValueError(f"{value!r} has {len(value)} items, and {len(kinds)} are expected")
        return tuple(converter.structure(item, kind) for item, kind in zip(value, kinds, strict=True))

    return structure_tuple


def _table_as_mapping(cls: Any, converter: cattrs.Converter) -> Callable[[Any, Any], Any]:
    table: Any = GenericAlias(dict, get_args(cls))
    structure_mapping: Callable[[Any, Any], Any] = make_mapping_structure_fn(table, converter)
    return _of_a_table(lambda value: structure_mapping(value, cls))


def _table_as_class(cls: Any, converter: cattrs.Converter) -> Callable[[Any, Any], Any]:
    structure_class = converter.gen_structure_attrs_fromdict(cls)
    return _of_a_table(lambda value: structure_class(value, cls))


def _of_a_table(structure_table: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    def structure_checked(value: Any, _: Any) -> Any:
        if not isinstance(value, Mapping):
            raise TypeError(f"{value!r} is no table")
        return structure_table(value)

    return structure_checked


def _one_of(cls: Any, _: cattrs.Converter) -> Callable[[Any, Any], Any]:
    choices = get_args(cls)

    def structure_choice(value: Any, _: Any) -> Any:
        for choice in choices:
            if type(value) is type(choice) and value == choice:
                return choice
        raise _WrongChoiceError(repr(value), nearest(str(value), map(str, choices)))

    return structure_choice


class _WrongChoiceError(ValueError):
    """A value that is none of the few that are meant, and advice."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message, remedy)
        self.remedy = remedy


def _strict_scalar(value: Any, cls: Any) -> Any:
    """No conversion between types, except that a whole number is a number."""
    if cls is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, cls) or (isinstance(value, bool) and cls is not bool):
        raise TypeError(f"{value!r} is not of type {cls.__name__}")
    return value


def _structure_secret(value: object, _: object) -> Secret:
    if isinstance(value, Mapping) and set(value) == {"env"} and isinstance(value["env"], str):
        return Secret(value["env"])
    # The value itself may be the secret: the message must not repeat it.
    raise ValueError('a key is not written into a file; name its environment variable: { env = "MY_API_KEY" }')


def _explain(error: ClassValidationError | IterableValidationError, where: str) -> UsageError:
    """The first of cattrs' errors, as one sentence."""
    # A misspelt name also makes the right one missing: the misspelling is what helps.
    first = min(error.exceptions, key=lambda each: not isinstance(each, ForbiddenExtraKeysError))
    if isinstance(first, UsageError):
        return first
    if isinstance(first, ForbiddenExtraKeysError):
        name = sorted(first.extra_fields)[0]
        return UsageError(f"unknown option {name!r}", where=where, remedy=nearest(name, option_names(first.cl)))
    if isinstance(first, KeyError):
        return UsageError(f"the option {first.args[0]!r} is missing", where=where, remedy=f"add {first.args[0]} = ...")
    key = where + "".join(_step(note) for note in getattr(first, "__notes__", []))
    if isinstance(first, ClassValidationError | IterableValidationError):
        return _explain(first, key)
    message = first.args[0] if first.args else repr(first)
    remedy = first.remedy if isinstance(first, _WrongChoiceError) else "correct the value"
    return UsageError(f"wrong value: {message}", where=key, remedy=remedy)


def _step(note: object) -> str:
    """From a table to its option, from a table of tables to one of them, or from a list to its item."""
    if isinstance(note, AttributeValidationNote):
        return f".{note.name}"
    if isinstance(note, IterableValidationNote):
        return f"[{note.index}]" if isinstance(note.index, int) else f".{note.index}"
    return ""


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
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:  # gone since it was read; the message does without the line
        return None
    for number, line in enumerate(lines, start=1):
        if match := re.match(r"\s*\[+([^\]]+)\]+", line):
            header = tuple(part.strip().strip("\"'") for part in match[1].split("."))
            # `[a.b]` makes the table `a`, too.
            if header[: len(keys)] == keys:
                return number
        elif (match := re.match(r"\s*[\"']?([\w.-]+)[\"']?\s*=", line)) and (
            (*header, *match[1].split("."))[: len(keys)] == keys
        ):
            return number
    return None
