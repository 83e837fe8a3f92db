"""The registry: plugins loaded from entry points and opt-in folders, their parts by kind and name."""

import fnmatch
import functools
import hashlib
import importlib
import importlib.util
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Final

import attrs
import pluggy

from genre import hooks
from genre.errors import RunVetoed, UsageError, nearest
from genre.parts import AnyPart, Baseline, Encoder, Kind, Part, RunPlan, Task
from genre.settings import Settings, load_settings, structure

ENTRY_POINT_GROUP: Final = "genre"

PART_HOOKS: Final[Mapping[str, tuple[Kind | None, type[AnyPart]]]] = {
    "genre_datasets": ("dataset", Part),
    "genre_prompters": ("prompter", Part),
    "genre_generators": ("generator", Part),
    "genre_updaters": ("updater", Part),
    "genre_tasks": ("task", Task),
    "genre_gates": ("gate", Part),
    "genre_encoders": (None, Encoder),
    "genre_interactions": ("interaction", Part),
    "genre_baselines": ("baseline", Baseline),
    "genre_commands": ("command", Part),
}
"""Which kind each hook yields, and its record; an encoder says itself what it encodes."""


class PluginWarning(UserWarning):
    """A plugin could not be loaded; the rest works."""


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
        path = f"{kind}/{name}"
        return any(fnmatch.fnmatchcase(path, pattern) for pattern in self.enabled) and not any(
            fnmatch.fnmatchcase(path, pattern) for pattern in self.disabled
        )


@attrs.frozen
class RegisteredPart:
    """A part, who provides it, and whether it is on."""

    kind: Kind
    part: AnyPart
    distribution: str
    enabled: bool

    def as_json(self) -> dict[str, object]:
        """The row that `genre plugins list --json` prints."""
        return {
            "kind": self.kind,
            "name": self.part.name,
            "distribution": self.distribution,
            "enabled": self.enabled,
            "summary": self.part.summary,
        }


@attrs.frozen(eq=False)
class Registry:
    """Parts by kind and name, the settings that go with them, and the hooks that events go through."""

    settings: Settings
    manager: pluggy.PluginManager
    _parts: Mapping[tuple[str, str], RegisteredPart]

    @classmethod
    def load(cls, settings: Settings | None = None, *, strict: bool = False) -> "Registry":
        """Load every plugin there is.

        Args:
            settings: as from `load_settings`, which is the default.
            strict: a plugin that fails to load is an error instead of a warning.

        Raises:
            UsageError: two plugins offer the same kind and name, a hook yields something else than its record, or
                `[plugins]` is wrong.
        """
        settings = settings or load_settings()
        options = structure(settings.table("plugins"), PluginSettings, settings.where("plugins"))
        manager = pluggy.PluginManager(hooks.PROJECT)
        manager.add_hookspecs(hooks)
        distributions: dict[str, str] = {}
        for name, distribution, load in [*_entry_points(), *_folder_files(settings)]:
            try:
                manager.register(load(), name=name)
                manager.check_pending()
            except Exception as error:
                if manager.has_plugin(name):
                    manager.unregister(name=name)
                message = f"the plugin {name!r} of {distribution} failed to load: {error!r}"
                if strict:
                    raise UsageError(message, remedy="mend or uninstall it") from error
                warnings.warn(message, PluginWarning, stacklevel=2)
            else:
                distributions[name] = distribution
        return cls(settings, manager, _collect(manager, distributions, options))

    def parts(self, kind: str | None = None) -> list[RegisteredPart]:
        """All parts, or those of a kind; by kind and name."""
        return [entry for key, entry in sorted(self._parts.items()) if kind in (None, key[0])]

    def get(self, kind: Kind, name: str, *, where: str | None = None) -> AnyPart:
        """The record of an enabled part.

        Raises:
            UsageError: there is none of that name, or it is disabled.
        """
        entry = self._parts.get((kind, name))
        if entry is None:
            known = [other.part.name for other in self.parts(kind) if other.enabled]
            raise UsageError(f"there is no {kind} {name!r}", where=where, remedy=nearest(name, known))
        if not entry.enabled:
            raise UsageError(
                f"the {kind} {name!r} is disabled in registry.toml",
                where=self.settings.where("plugins", "disabled"),
                remedy=f"remove the pattern that matches '{kind}/{name}' from `disabled` (or add one to `enabled`)",
            )
        return entry.part

    def task(self, name: str) -> Task:
        """The record of a task."""
        part = self.get("task", name)
        assert isinstance(part, Task)
        return part

    def baseline(self, name: str) -> Baseline:
        """The record of a baseline."""
        part = self.get("baseline", name)
        assert isinstance(part, Baseline)
        return part

    def options_class(self, kind: Kind, name: str) -> type | None:
        """The attrs class of a part's options, or None when it has none."""
        part = self.get(kind, name)
        if not isinstance(part, Part) or part.options is None:
            return None
        loaded = load_import_string(part.options)
        if not (isinstance(loaded, type) and attrs.has(loaded)):
            raise UsageError(f"{part.options} of the {kind} {name!r} is not an attrs class")
        return loaded

    def create(
        self,
        kind: Kind,
        name: str,
        options: Mapping[str, object],
        *,
        where: str | None = None,
        **context: object,
    ) -> object:
        """Call a part's target with its structured options and the keywords of its contract.

        Raises:
            UsageError: the part is unknown or disabled, its code cannot be imported, or an option is wrong.
        """
        part = self.get(kind, name, where=where)
        assert isinstance(part, Part)
        cls = self.options_class(kind, name)
        where = where or f"{kind} {name}"
        if cls is None and options:
            raise UsageError(
                f"unknown option {sorted(options)[0]!r}",
                where=where,
                remedy=f"the {kind} {name!r} has no options",
            )
        structured = None if cls is None else structure(options, cls, where)
        target = load_import_string(part.target)
        return target(structured, **context)  # type: ignore[operator]

    def release(self, kind: Kind, name: str) -> str:
        """Who provides a part, with the version: what may change its behaviour without changing its options."""
        entry = self._parts[kind, name]
        try:
            return f"{entry.distribution} {metadata.version(entry.distribution)}"
        except metadata.PackageNotFoundError:  # a plugin file of an opt-in folder
            content = Path(entry.distribution).read_bytes()
            return f"{entry.distribution} {hashlib.blake2b(content, digest_size=8).hexdigest()}"

    def commands(self) -> dict[str, Callable[[], object]]:
        """The enabled commands of plugins, each with what imports it."""
        return {
            entry.part.name: functools.partial(load_import_string, entry.part.target)
            for entry in self.parts("command")
            if entry.enabled and isinstance(entry.part, Part)
        }

    def announce_plan(self, plan: RunPlan) -> None:
        """Tell the plugins about a run that is about to start.

        Raises:
            RunVetoed: a plugin objects.
        """
        reasons = [reason for reason in self.manager.hook.genre_run_planned(plan=plan) if reason]
        if reasons:
            raise RunVetoed(f"the run {plan.name!r} was vetoed by a plugin: {'; '.join(reasons)}")


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


def _entry_points() -> Iterable[tuple[str, str, Callable[[], object]]]:
    for entry in sorted(metadata.entry_points(group=ENTRY_POINT_GROUP), key=lambda entry: (entry.value, entry.name)):
        distribution = entry.dist.name if entry.dist else "an unknown distribution"
        yield f"{distribution}:{entry.name}", distribution, entry.load


def _folder_files(settings: Settings) -> Iterable[tuple[str, str, Callable[[], object]]]:
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
            yield f"{root}:{file.stem}", str(file), functools.partial(_load_file, file)


def _load_file(file: Path) -> ModuleType:
    name = f"genre_local_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # so that the import strings of its parts ("genre_local_mine:Thing") resolve
    spec.loader.exec_module(module)
    return module


def _collect(
    manager: pluggy.PluginManager, distributions: Mapping[str, str], options: PluginSettings
) -> dict[tuple[str, str], RegisteredPart]:
    parts: dict[tuple[str, str], RegisteredPart] = {}
    for hook_name, (hook_kind, record) in PART_HOOKS.items():
        for implementation in getattr(manager.hook, hook_name).get_hookimpls():
            owner = distributions[implementation.plugin_name]
            for part in _call(implementation, hook_name, owner, record):
                kind = hook_kind or f"{part.encodes}-encoder"  # type: ignore[union-attr]
                other = parts.get((kind, part.name))
                if other is not None:
                    raise UsageError(
                        f"the {kind} {part.name!r} is offered by both {other.distribution} and {owner}",
                        remedy="uninstall one of them, or ask its author to rename the part",
                    )
                parts[kind, part.name] = RegisteredPart(kind, part, owner, options.is_enabled(kind, part.name))  # type: ignore[arg-type]
    return parts


def _call(implementation: pluggy.HookImpl, hook: str, owner: str, record: type[AnyPart]) -> list[AnyPart]:
    try:
        produced: list[AnyPart] = list(implementation.function())  # type: ignore[call-overload]
    except Exception as error:
        raise UsageError(
            f"the hook {hook} of {owner} failed: {error}", remedy="mend or uninstall the plugin"
        ) from error
    for part in produced:
        if not isinstance(part, record):
            raise UsageError(
                f"the hook {hook} of {owner} yielded {part!r}",
                remedy=f"it must yield genre.parts.{record.__name__}",
            )
    return produced
