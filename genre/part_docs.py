"""What a registered part says of itself: who provides it, where its code is, the parts that it names, its options."""

from collections.abc import Iterator, Mapping

import attrs

from genre.option_docs import DescribedOption, described_options, toml_value
from genre.parts import Baseline, Kind, Part, Task
from genre.registry import RegisteredPart, Registry, options_class_of


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
    if isinstance(part, Task):
        made_of = {"prompter": part.prompter, "updater": part.updater}
        made_of |= {"gates": ", ".join(part.gates)} if part.gates else {}
        return DescribedPart(entry, None, made_of, tuple(_of_task(registry, part)))
    if isinstance(part, Baseline):
        readers = ", ".join(f"{field}: {encoder}" for field, encoder in part.field_encoders.items())
        made_of = {
            "field encoders": readers,
            "news encoder": part.news_encoder,
            "user encoder": part.user_encoder,
            "interaction": part.interaction,
        }
        return DescribedPart(entry, None, made_of, tuple(_of_baseline(registry, part)))
    return DescribedPart(entry, part.target, {}, tuple(_with_tables(options_class_of(entry.kind, part))))


def _with_tables(cls: type | None) -> Iterator[DescribedOption]:
    """The options of a class, each followed by those of the tables that it holds."""
    for option in described_options(cls) if cls else ():
        yield option
        for table in option.tables:
            yield from (attrs.evolve(each, name=f"{option.name}.{each.name}") for each in _with_tables(table))


def _of_task(registry: Registry, task: Task) -> Iterator[DescribedOption]:
    named: tuple[tuple[Kind, str], ...] = (("prompter", task.prompter), ("updater", task.updater))
    seen: set[str] = set()
    for kind, name in named:
        for option in _of_part(registry, kind, name, task.defaults):
            if option.name not in seen:  # what both have is one option of the task
                seen.add(option.name)
                yield option


def _of_baseline(registry: Registry, baseline: Baseline) -> Iterator[DescribedOption]:
    tables: list[tuple[str, Kind, str, Mapping[str, object]]] = [
        (f"field_options.{name}", "field-encoder", name, baseline.field_options.get(name, {}))
        for name in dict.fromkeys(baseline.field_encoders.values())
    ]
    tables.append(("news_options", "news-encoder", baseline.news_encoder, baseline.news_options))
    tables.append(("user_options", "user-encoder", baseline.user_encoder, baseline.user_options))
    tables.append(("interaction_options", "interaction", baseline.interaction, baseline.interaction_options))
    own = {option.name: option for option in described_options(Baseline)}
    for name in ("dim", "loss"):
        yield attrs.evolve(own[name], default=toml_value(getattr(baseline, name)))
    for table, kind, name, said in tables:
        for option in _of_part(registry, kind, name, said):
            yield attrs.evolve(option, name=f"{table}.{option.name}")


def _of_part(registry: Registry, kind: Kind, name: str, said: Mapping[str, object]) -> Iterator[DescribedOption]:
    """A part's options, with the defaults of who names the part over its own."""
    part = registry.get(kind, name)
    for option in _with_tables(options_class_of(kind, part) if isinstance(part, Part) else None):
        yield attrs.evolve(option, default=toml_value(said[option.name])) if option.name in said else option
