"""The registry: plugins loaded from entry points and opt-in folders, their parts by kind and name."""

import functools
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import attrs
import pluggy

from genre import hooks
from genre.discovery import PluginSettings, PluginSource, load_callable, load_import_string, plugin_sources
from genre.errors import GenreError, RunError, RunVetoed, UsageError, nearest
from genre.options import structure
from genre.parts import AnyPart, Baseline, Encoder, Kind, Part, RunPlan, Task
from genre.settings import Settings, load_settings

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
    "genre_executors": ("executor", Part),
    "genre_trackers": ("tracker", Part),
    "genre_commands": ("command", Part),
}
"""Which kind each hook yields, and its record; an encoder says itself what it encodes."""


class PluginWarning(UserWarning):
    """A plugin could not be loaded; the rest works."""


@attrs.frozen
class RegisteredPart:
    """A part, who provides it (and in which release), and whether it is on."""

    kind: Kind
    part: AnyPart
    distribution: str
    enabled: bool
    release: str = ""

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
    strict: bool
    _parts: Mapping[tuple[str, str], RegisteredPart]

    @classmethod
    def load(cls, settings: Settings | None = None, *, strict: bool = False) -> "Registry":
        """Load every plugin there is.

        Args:
            settings: as from `load_settings`, which is the default.
            strict: a plugin that fails to load is an error instead of a warning.

        Raises:
            UsageError: two plugins offer the same kind and name, or registry.toml is wrong; when strict, also a plugin
                that does not load or whose hook yields something else than its record.
        """
        settings = settings or load_settings()
        options = structure(settings.table("plugins"), PluginSettings, settings.where("plugins"))
        manager = pluggy.PluginManager(hooks.PROJECT)
        manager.add_hookspecs(hooks)
        parts: dict[tuple[str, str], RegisteredPart] = {}
        for source in plugin_sources(settings):
            try:
                offered = _load(manager, source, options)
            except Exception as error:
                if manager.has_plugin(source.name):
                    manager.unregister(name=source.name)
                message = f"the plugin {source.name!r} of {source.distribution} failed to load: {_told(error)}"
                if strict:
                    raise UsageError(message, remedy="mend or uninstall it") from error
                warnings.warn(message, PluginWarning, stacklevel=2)
                continue
            for entry in offered:
                _add(parts, entry)
        registry = cls(settings, manager, strict, parts)
        registry._check_settings()
        return registry

    def with_settings(self, settings: Settings) -> "Registry":
        """The same plugins under other settings. Plugins that were registered by hand stay.

        Raises:
            UsageError: the settings are wrong.
        """
        if _plugins(settings) != _plugins(self.settings):
            loaded = Registry.load(settings, strict=self.strict)
            found = {source.name for source in plugin_sources(self.settings)}
            for name, plugin in self.manager.list_name_plugin():
                if plugin is not None and name not in found and not loaded.manager.is_registered(plugin):
                    loaded.manager.register(plugin, name=name)
            return loaded
        registry = attrs.evolve(self, settings=settings)
        registry._check_settings()
        return registry

    def _check_settings(self) -> None:
        """Names in `[tasks]` and `[defaults]` that mean nothing are mistakes, not remarks."""
        known = {
            "tasks": {entry.part.name for entry in self.parts("task")},
            "defaults": {"generator", "executor"},
        }
        for table, names in known.items():
            for name in self.settings.table(table):
                if name not in names:
                    raise UsageError(
                        f"unknown name {name!r} in [{table}]",
                        where=self.settings.where(table, name),
                        remedy=nearest(name, names),
                    )

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
            options = structure(self.settings.table("plugins"), PluginSettings, self.settings.where("plugins"))
            disabled = options.is_disabled(kind, name)
            raise UsageError(
                f"the {kind} {name!r} is disabled in registry.toml",
                where=self.settings.where("plugins", "disabled" if disabled else "enabled"),
                remedy=f"remove the pattern that matches '{kind}/{name}' from `disabled`"
                if disabled
                else f"add a pattern that matches '{kind}/{name}' to `enabled`",
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
        """The attrs class of a part's options, or None when it has none.

        Raises:
            UsageError: the part is unknown or disabled, or its options are no attrs class that can be imported.
        """
        return options_class_of(kind, self.get(kind, name))

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
        structured = self.structure_options(kind, name, options, where=where)
        return self.target(kind, name)(structured, **context)

    def target(self, kind: Kind, name: str) -> Callable[..., object]:
        """What a part's import string names.

        Raises:
            UsageError: the part is unknown or disabled, or its code cannot be imported or called.
        """
        part = self.get(kind, name)
        assert isinstance(part, Part)
        return load_callable(part.target)

    def structure_options(
        self, kind: Kind, name: str, options: Mapping[str, object], *, where: str | None = None
    ) -> object:
        """A part's options as its class; None for a part without options.

        Raises:
            UsageError: the part is unknown or disabled, or an option is wrong.
        """
        self.get(kind, name, where=where)
        cls = self.options_class(kind, name)
        where = where or f"{kind} {name}"
        if cls is None and options:
            raise UsageError(
                f"unknown option {sorted(options)[0]!r}",
                where=where,
                remedy=f"the {kind} {name!r} has no options",
            )
        return None if cls is None else structure(options, cls, where)

    def release(self, kind: Kind, name: str) -> str:
        """Who provides a part, with the version: what may change its behaviour without changing its options.

        Raises:
            UsageError: there is no such part, or it is disabled.
        """
        self.get(kind, name)
        return self._parts[kind, name].release

    def commands(self) -> dict[str, tuple[str, Callable[[], object]]]:
        """The enabled commands of plugins: their summaries, and what imports them."""
        return {
            entry.part.name: (entry.part.summary, functools.partial(_import_command, entry))
            for entry in self.parts("command")
            if entry.enabled and isinstance(entry.part, Part)
        }

    def announce(self, hook: str, **payload: object) -> list[object]:
        """Tell the plugins of an event, and collect what they answer.

        Returns:
            The answers that are not None, of the plugin that was registered last first.

        Raises:
            RunError: a plugin's listener failed; names the plugin and the hook.
        """
        answers: list[object] = []
        for listener in reversed(getattr(self.manager.hook, hook).get_hookimpls()):
            try:
                answer = listener.function(**{name: payload[name] for name in listener.argnames})
            except GenreError:
                raise
            except Exception as error:
                raise RunError(
                    f"the plugin {listener.plugin_name!r} failed in {hook}: {error!r}",
                    remedy="mend or disable the plugin",
                ) from error
            if answer is not None:
                answers.append(answer)
        return answers

    def announce_plan(self, plan: RunPlan) -> None:
        """Tell the plugins about a run that is about to start.

        Raises:
            RunVetoed: a plugin objects.
        """
        reasons = [str(reason) for reason in self.announce("genre_run_planned", plan=plan) if reason]
        if reasons:
            raise RunVetoed(f"the run {plan.name!r} was vetoed by a plugin: {'; '.join(reasons)}")


def options_class_of(kind: Kind, part: AnyPart) -> type | None:
    """The attrs class of a record's options, or None when it has none.

    Raises:
        UsageError: it cannot be imported, or is something else.
    """
    if not isinstance(part, Part) or part.options is None:
        return None
    loaded = load_import_string(part.options)
    if not (isinstance(loaded, type) and attrs.has(loaded)):
        raise UsageError(f"{part.options} of the {kind} {part.name!r} is not an attrs class")
    return loaded


def _plugins(settings: Settings) -> tuple[object, ...]:
    """What decides which plugins are loaded: relative folders refer to the file that names them."""
    layer = settings.origin("plugins", "folders")
    return settings.table("plugins"), layer and layer.path


def _import_command(entry: RegisteredPart) -> object:
    assert isinstance(entry.part, Part)
    try:
        return load_import_string(entry.part.target)
    except Exception as error:
        raise UsageError(
            f"the command {entry.part.name!r} of {entry.distribution} failed to load: {_told(error)}",
            remedy="mend or uninstall the plugin",
        ) from error


def _refuse_wrappers(manager: pluggy.PluginManager, name: str) -> None:
    """Each listener is called by itself, so that a failing one can be named: nothing can be wrapped around others."""
    for caller in manager.get_hookcallers(manager.get_plugin(name)) or []:
        for implementation in caller.get_hookimpls():
            if implementation.plugin_name == name and (implementation.wrapper or implementation.hookwrapper):
                raise UsageError(f"its hook {caller.name} is a wrapper, and wrappers are not called")


def _load(manager: pluggy.PluginManager, source: PluginSource, options: PluginSettings) -> list[RegisteredPart]:
    """Register a plugin and call its hooks that yield parts."""
    manager.register(source.load(), name=source.name)
    manager.check_pending()
    _refuse_wrappers(manager, source.name)
    entries = []
    for hook, (hook_kind, record) in PART_HOOKS.items():
        for implementation in getattr(manager.hook, hook).get_hookimpls():
            if implementation.plugin_name == source.name:
                for part in _call(implementation, hook, record):
                    kind = hook_kind or f"{part.encodes}-encoder"  # type: ignore[union-attr]
                    enabled = options.is_enabled(kind, part.name)
                    entries.append(RegisteredPart(kind, part, source.distribution, enabled, source.release))  # type: ignore[arg-type]
    return entries


def _call(implementation: pluggy.HookImpl, hook: str, record: type[AnyPart]) -> Sequence[AnyPart]:
    try:
        produced: list[AnyPart] = list(implementation.function())  # type: ignore[call-overload]
    except Exception as error:
        raise UsageError(f"its hook {hook} failed: {error}") from error
    for part in produced:
        if not isinstance(part, record):
            raise UsageError(f"its hook {hook} yielded {part!r}, and genre.parts.{record.__name__} was expected")
    return produced


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, GenreError) else repr(error)


def _add(parts: dict[tuple[str, str], RegisteredPart], entry: RegisteredPart) -> None:
    other = parts.setdefault((entry.kind, entry.part.name), entry)
    if other is not entry:
        raise UsageError(
            f"the {entry.kind} {entry.part.name!r} is offered by both {other.distribution} and {entry.distribution}",
            remedy="uninstall one of them, or ask its author to rename the part",
        )
