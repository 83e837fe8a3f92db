"""Where plugins come from: entry points of installed distributions, and opt-in folders of plugin files."""

import fnmatch
import functools
import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Final

import attrs

from genre.errors import UsageError
from genre.options import structure
from genre.settings import Settings

ENTRY_POINT_GROUP: Final = "genre"


@attrs.frozen
class PluginSettings:
    """The `[plugins]` table of registry.toml.

    Attributes:
        enabled: patterns `KIND/NAME`; a part is on when one of them matches.
        disabled: patterns that switch parts off again.
        folders: folders of plugin files, relative to the registry.toml that names them.
    """

    enabled: tuple[str, ...] = ("*/*",)
    disabled: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()

    def is_enabled(self, kind: str, name: str) -> bool:
        """Whether the part is on."""
        return _matches(self.enabled, kind, name) and not self.is_disabled(kind, name)

    def is_disabled(self, kind: str, name: str) -> bool:
        """Whether `disabled` is what switches the part off."""
        return _matches(self.disabled, kind, name)


def _matches(patterns: tuple[str, ...], kind: str, name: str) -> bool:
    return any(fnmatch.fnmatchcase(f"{kind}/{name}", pattern) for pattern in patterns)


@attrs.frozen
class PluginSource:
    """A plugin that may be loaded.

    Attributes:
        name: its name among the plugins.
        distribution: who provides it: a distribution, or the plugin file's path.
        release: the same with a version (for a file: a hash of its content).
        load: imports it.
    """

    name: str
    distribution: str
    release: str
    load: Callable[[], object]


def load_import_string(text: str) -> object:
    """Import `"package.module:Name"`.

    Raises:
        UsageError: there is no such module or member.
    """
    module, _, member = text.partition(":")
    try:
        loaded: object = getattr(importlib.import_module(module), member)
    except (ImportError, AttributeError) as error:
        raise UsageError(
            f"cannot import {text!r}: {error}", remedy="install what it needs, or mend the plugin"
        ) from error
    return loaded


def load_callable(text: str) -> Callable[..., object]:
    """Import what is called, such as a part's target.

    Raises:
        UsageError: there is no such module or member, or it cannot be called.
    """
    loaded = load_import_string(text)
    if not callable(loaded):
        raise UsageError(f"{text!r} is {loaded!r}, which cannot be called", remedy="mend the plugin")
    return loaded


def plugin_sources(settings: Settings) -> list[PluginSource]:
    """Every plugin there is, loaded or not.

    Raises:
        UsageError: a folder of `[plugins]` does not exist, or two plugin files have one name.
    """
    return [*_entry_points(), *_folder_files(settings)]


def _entry_points() -> Iterator[PluginSource]:
    for entry in sorted(metadata.entry_points(group=ENTRY_POINT_GROUP), key=lambda entry: (entry.value, entry.name)):
        distribution = entry.dist.name if entry.dist else "an unknown distribution"
        release = f"{distribution} {entry.dist.version}" if entry.dist else distribution
        yield PluginSource(f"{distribution}:{entry.name}", distribution, release, entry.load)


def _folder_files(settings: Settings) -> Iterator[PluginSource]:
    layer = settings.origin("plugins", "folders")
    if layer is None:
        return
    base = layer.path.parent if layer.path else Path.cwd()
    files: dict[str, Path] = {}
    for folder in structure(settings.table("plugins"), PluginSettings, settings.where("plugins")).folders:
        root = (base / folder).resolve()
        if not root.is_dir():
            raise UsageError(
                f"the plugin folder {folder!r} does not exist",
                where=settings.where("plugins", "folders"),
                remedy=f"create {root}, or remove it from the list",
            )
        for file in sorted(root.glob("*.py")):
            other = files.setdefault(file.stem, file)
            if other != file:  # both would be the module `genre_local_STEM`
                raise UsageError(
                    f"two plugin files are called {file.name!r}: {other} and {file}",
                    where=settings.where("plugins", "folders"),
                    remedy="rename one of them",
                )
            content = hashlib.blake2b(file.read_bytes(), digest_size=8).hexdigest()
            yield PluginSource(
                f"{root}:{file.stem}", str(file), f"{file.name} {content}", functools.partial(_load_file, file)
            )


def _load_file(file: Path) -> ModuleType:
    name = f"genre_local_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # so that the import strings of its parts ("genre_local_mine:Thing") resolve
    spec.loader.exec_module(module)
    return module
