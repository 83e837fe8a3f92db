"""Options of parts: tables structured into attrs classes, strictly, with errors that help; secrets among them."""

import functools
import math
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import GenericAlias
from typing import Any, Final, Literal, TypeVar, get_args, get_origin, get_type_hints

import attrs
import cattrs
from cattrs.errors import (
    AttributeValidationNote,
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.gen import make_mapping_structure_fn

from genre.errors import UsageError, nearest

T = TypeVar("T")

HIDDEN: Final = "(hidden)"
"""Stands where a secret is not shown."""
_PASSWORD: Final = re.compile(r"(?<=://)[^/?#\s]*@")


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


def without_password(text: str) -> str:
    """The same text, in whose addresses no user, password or token stands: `http://(hidden)@host`."""
    return _PASSWORD.sub(f"{HIDDEN}@", text)


def without_secrets(options: object) -> object:
    """The same options, whose secrets are not read: for those who make a part and ask it nothing that needs a key."""
    cls = type(options)
    if not attrs.has(cls):
        return options
    held = {field.alias: getattr(options, field.name) for field in attrs.fields(cls) if field.init}
    hidden = {name: _NoSecret(value.env) for name, value in held.items() if isinstance(value, Secret)}
    return cls(**{**held, **hidden})


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


def secret_names(cls: type) -> tuple[str, ...]:
    """Names of the options that a class declares as secrets."""
    hints = get_type_hints(cls)
    return tuple(name for name in option_names(cls) if Secret in (hints[name], *get_args(hints[name])))


@functools.cache
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
    """No conversion between types, except that a whole number is a number. Numbers have 64 bits, and `nan` is none."""
    if cls is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, cls) or (isinstance(value, bool) and cls is not bool):
        raise TypeError(f"{value!r} is not of type {cls.__name__}")
    if isinstance(value, float) and math.isnan(value):
        raise ValueError(f"{value!r} is no number")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError(f"{value!r} is no number of 64 bits")
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
