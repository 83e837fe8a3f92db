"""What a registered part says of itself: who provides it, where its code is, the parts that it names, its options."""

from collections.abc import Iterator, Mapping

import attrs

from genre.option_docs import DescribedOption, described_options, toml_value
from genre.parts import AnyPart, Baseline, Kind, Part, Task
from genre.registry import RegisteredPart, Registry, options_class_of


@attrs.frozen
class NamedPart:
    """A part that a task or a baseline is made of.

    Attributes:
        role: what it is to it, such as `user encoder`.
        kind, name: which part it is.
        said: options that it is given, over its own defaults.
        table: of `[overrides.NAME]`, where an experiment changes these options; empty for a part of a task.
    """

    role: str
    kind: Kind
    name: str
    said: Mapping[str, object]
    table: str = ""


@attrs.frozen
class DescribedPart:
    """A part, as `genre plugins show` tells it.

    Attributes:
        entry: the part, who provides it, and whether it is on.
        target: import string of its code; None for a part that is made of other parts.
        made_of: the parts that a task or a baseline names, by what they are to it.
        options: its options. Those of a task are its prompter's and its updater's; those of a baseline are named as
            `[overrides.NAME]` of an experiment names them.
    """

    entry: RegisteredPart
    target: str | None
    made_of: Mapping[str, str]
    options: tuple[DescribedOption, ...]

    def as_json(self) -> dict[str, object]:
        """One of the objects that `genre plugins show --json` prints."""
        options = [
            {"name": each.name, "takes": each.takes, "default": each.default, "meaning": each.meaning}
            for each in self.options
        ]
        return {
            **self.entry.as_json(),
            "source": self.entry.part.source,
            "release": self.entry.release,
            "target": self.target,
            "made_of": dict(self.made_of),
            "options": options,
        }


def described_part(registry: Registry, entry: RegisteredPart) -> DescribedPart:
    """All that a part says of itself. It need not be on.

    Raises:
        UsageError: an options class cannot be imported, or a part that it names does not exist or is disabled.
    """
    part = entry.part
    if isinstance(part, Part):
        return DescribedPart(entry, part.target, {}, tuple(_with_tables(options_class_of(entry.kind, part))))
    options = _of_task(registry, part) if isinstance(part, Task) else _of_baseline(registry, part)
    return DescribedPart(entry, None, _made_of(part), tuple(options))


def named_parts(part: AnyPart) -> tuple[NamedPart, ...]:
    """The parts that a task or a baseline is made of, each once; another part is made of none."""
    if isinstance(part, Task):
        return (
            NamedPart("prompter", "prompter", part.prompter, part.defaults),
            NamedPart("updater", "updater", part.updater, part.defaults),
            *(NamedPart("gate", "gate", name, said) for name, said in part.gates.items()),
        )
    if isinstance(part, Baseline):
        fields = (
            NamedPart("field encoder", "field-encoder", name, part.field_options.get(name, {}), f"field_options.{name}")
            for name in dict.fromkeys(part.field_encoders.values())
        )
        return (
            *fields,
            NamedPart("news encoder", "news-encoder", part.news_encoder, part.news_options, "news_options"),
            NamedPart("user encoder", "user-encoder", part.user_encoder, part.user_options, "user_options"),
            NamedPart("interaction", "interaction", part.interaction, part.interaction_options, "interaction_options"),
        )
    return ()


def _made_of(part: Task | Baseline) -> Mapping[str, str]:
    """Names by role; of field encoders and of gates there may be several."""
    single = {each.role: each.name for each in named_parts(part) if each.role not in ("field encoder", "gate")}
    if isinstance(part, Baseline):
        readers = (f"{field}: {encoder}" for field, encoder in part.field_encoders.items())
        return {"field encoders": ", ".join(readers), **single}
    return {**single, "gates": ", ".join(part.gates)} if part.gates else single


def _with_tables(cls: type | None) -> Iterator[DescribedOption]:
    """The options of a class, each followed by those of the tables that it holds."""
    for option in described_options(cls) if cls else ():
        yield option
        for table in option.tables:
            yield from (attrs.evolve(each, name=f"{option.name}.{each.name}") for each in _with_tables(table))


def _of_task(registry: Registry, task: Task) -> Iterator[DescribedOption]:
    seen: set[str] = set()
    for named in named_parts(task):
        for option in _of_part(registry, named) if named.kind != "gate" else ():
            if option.name not in seen:  # what both have is one option of the task
                seen.add(option.name)
                yield option


def _of_baseline(registry: Registry, baseline: Baseline) -> Iterator[DescribedOption]:
    own = {option.name: option for option in described_options(Baseline)}
    for name in ("dim", "loss"):
        yield attrs.evolve(own[name], default=toml_value(getattr(baseline, name)))
    for named in named_parts(baseline):
        for option in _of_part(registry, named):
            yield attrs.evolve(option, name=f"{named.table}.{option.name}")


def _of_part(registry: Registry, named: NamedPart) -> Iterator[DescribedOption]:
    """A part's options, with the defaults of who names the part over its own."""
    part, said = registry.get(named.kind, named.name), named.said
    for option in _with_tables(options_class_of(named.kind, part) if isinstance(part, Part) else None):
        yield attrs.evolve(option, default=toml_value(said[option.name])) if option.name in said else option
