"""Experiment files: a data set, variants of it, baselines, seeds and settings, as TOML without inheritance."""

import math
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

import attrs

from genre.errors import UsageError, nearest
from genre.generation import RoundSpec
from genre.generation.instances import check_instances
from genre.modeling import FeatureSettings, TrainingSettings
from genre.modeling.untrained import UNTRAINED
from genre.options import option_names, structure
from genre.parts import NAME_RULE, cell_name, is_name
from genre.registry import Registry
from genre.settings import TABLES, Layer, Settings, Table, read_toml

_FILE: Final = "experiment"
_CHANGES: Final = "command line"

_NO_FILE_NAME: Final = re.compile(r"[/\\\x00-\x1f]")
_is_seed: Final = attrs.validators.and_(attrs.validators.ge(0), attrs.validators.lt(2**31))


@attrs.frozen
class Halve:
    """Cut one split into two by impression.

    Attributes:
        split: the split that is cut.
        into: names of the two parts.
        share: share of the impressions that goes into the first.
        seed: seed of the cut.
    """

    split: str = "dev"
    into: tuple[str, str] = ("dev", "test")
    share: float = attrs.field(default=0.5, validator=[attrs.validators.gt(0), attrs.validators.lt(1)])
    seed: int = attrs.field(default=0, validator=attrs.validators.ge(0))


@attrs.frozen
class DatasetSpec:
    """Where the data set comes from.

    Attributes:
        reader: name of a registered data set reader.
        options: the reader's options.
        vectors: files of dense vectors of news, by field: `{ cover = "covers.npy" }`.
        halve: cut a split into two, if wanted.
    """

    reader: str
    options: dict[str, object] = attrs.field(factory=dict)
    vectors: dict[str, Path] = attrs.field(factory=dict)
    halve: Halve | None = None


@attrs.frozen
class VariantSpec:
    """One way to enrich the data.

    Attributes:
        name: the name in the results; `original` by convention when there is no round.
        rounds: the rounds, in order.
        texts: version of the texts that encoders read.
        lengths: tokens kept of single text fields, over those of `features.texts` (an enhanced title is longer).
        fusion: whether readers' interests are fused into the user vector (equations 1 and 2).
        baselines: those of the experiment that are trained on this variant; None for all of them.
    """

    name: str
    rounds: tuple[RoundSpec, ...] = ()
    texts: str = "latest"
    lengths: dict[str, int] = attrs.field(factory=dict)
    fusion: bool = False
    baselines: tuple[str, ...] | None = None


@attrs.frozen
class BaselineOverride:
    """What an experiment changes about a baseline; the rest is as its plugin declares it.

    Attributes:
        dim: width of the vectors.
        loss: `"cross-entropy"` or `"binary"`.
        field_encoders: registered field encoders by field or kind, over the baseline's own.
        news_encoder, user_encoder, interaction: registered parts in place of the baseline's; the options that the
            baseline has for its own part do not go with them.
        field_options, news_options, user_options, interaction_options: over the baseline's own.
        training: over the experiment's training settings.
    """

    dim: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(1)))
    loss: Literal["cross-entropy", "binary"] | None = None
    field_encoders: dict[str, str] = attrs.field(factory=dict)
    news_encoder: str | None = None
    user_encoder: str | None = None
    interaction: str | None = None
    field_options: dict[str, dict[str, object]] = attrs.field(factory=dict)
    news_options: dict[str, object] = attrs.field(factory=dict)
    user_options: dict[str, object] = attrs.field(factory=dict)
    interaction_options: dict[str, object] = attrs.field(factory=dict)
    training: dict[str, object] = attrs.field(factory=dict)


def _as_settings(tables: Settings | Mapping[str, object]) -> Settings:
    if isinstance(tables, Settings):
        return tables
    return Settings((Layer(_FILE, tables),) if tables else ())


@attrs.frozen
class Experiment:
    """An experiment, checked. Splits: train, and one for early stopping; `report` names those in the results.

    Attributes:
        name: the run folder's name.
        dataset: where the data come from.
        variants: ways to enrich them.
        baselines: names of registered baselines.
        untrained: untrained baselines that every variant is evaluated with too: `popularity`, `tf-idf`, `random`.
        seeds: each baseline is trained once a seed.
        report: splits that the results show.
        features: what encoders see.
        training: how models are trained.
        overrides: changes of single baselines, by name.
        trackers: names of where figures are shown; `[trackers.NAME]` may describe one.
        settings: tables that override registry.toml, as a mapping or as layers.
        path: the file, for messages; relative paths in it refer to its folder.
    """

    name: str
    dataset: DatasetSpec
    variants: tuple[VariantSpec, ...]
    baselines: tuple[str, ...] = ()
    untrained: tuple[str, ...] = ("popularity", "tf-idf", "random")
    seeds: tuple[int, ...] = attrs.field(default=(0,), validator=attrs.validators.deep_iterable(_is_seed))
    report: tuple[str, ...] = ("test",)
    features: FeatureSettings = attrs.field(factory=FeatureSettings)
    training: TrainingSettings = attrs.field(factory=TrainingSettings)
    overrides: dict[str, BaselineOverride] = attrs.field(factory=dict)
    trackers: tuple[str, ...] = ()
    settings: Settings = attrs.field(default=Settings(()), converter=_as_settings)
    path: Path | None = None

    def __attrs_post_init__(self) -> None:
        self._check_that_there_are_results()
        names = [variant.name for variant in self.variants]
        baselines = [*self.baselines, *self.untrained]  # one column of the results
        unique: tuple[tuple[str, Sequence[object]], ...] = (
            ("variant", names), ("baseline", baselines), ("seed", self.seeds), ("split", self.report),
            ("tracker", self.trackers),
        )  # fmt: skip
        for what, values in unique:
            repeated = [value for value in values if values.count(value) > 1]
            if repeated:
                raise UsageError(f"the {what} {repeated[0]!r} stands twice in the experiment", where=self.path)
        for name in self.untrained:
            if name not in UNTRAINED:
                raise UsageError(
                    f"there is no untrained baseline {name!r}", where=self.path, remedy=nearest(name, UNTRAINED)
                )
        for variant in self.variants:
            stray = [name for name in variant.baselines or () if name not in self.baselines]
            if stray:
                raise UsageError(
                    f"the variant {variant.name!r} names a baseline {stray[0]!r}, which the experiment does not train",
                    where=self.path,
                    remedy=nearest(stray[0], self.baselines),
                )
        self._check_cells()
        for name in [self.name, *names]:
            if not is_name(name):
                raise UsageError(f"the name {name!r} must be {NAME_RULE}: it names a folder", where=self.path)
        for split in self.report:
            if _NO_FILE_NAME.search(split):
                raise UsageError(
                    f"the split {split!r} is reported, and no file can be named after it",
                    where=f"{self.path or self.name}, report",
                    remedy="a name holds no slash and no control character; call the split something else",
                )

    def _check_cells(self) -> None:
        """Whether each cell has a folder of its own: `a-b` with `c` would share one with `a` and `b-c`."""
        places: dict[str, tuple[str, str]] = {}
        for variant in self.variants:
            trained = self.baselines if variant.baselines is None else variant.baselines
            named = [(name, seed) for name in trained for seed in self.seeds]
            for baseline, seed in [*named, *((name, None) for name in self.untrained)]:
                cell = cell_name(variant.name, baseline, seed)
                other = places.setdefault(cell, (variant.name, baseline))
                if other != (variant.name, baseline):
                    raise UsageError(
                        f"the variant {other[0]!r} with {other[1]!r} and {variant.name!r} with {baseline!r} "
                        f"would both be the cell {cell!r}",
                        where=self.path,
                        remedy="give one of the variants another name",
                    )

    def _check_that_there_are_results(self) -> None:
        needed = (
            ("variants", self.variants, "there is no variant", '[{ name = "original" }]'),
            ("report", self.report, "there is no split in the results", '["test"]'),
        )
        for option, values, missing, example in needed:
            if not values:
                raise UsageError(
                    missing,
                    where=f"{self.path or self.name}, {option}",
                    remedy=f"name one or more, such as {option} = {example}",
                )

    def described(self) -> dict[str, object]:
        """The experiment as JSON has it. `settings` are left out: generators' options are in the lineage."""
        return {
            field.name: plain(getattr(self, field.name))
            for field in attrs.fields(Experiment)
            if field.name != "settings"
        }

    def layered(self, settings: Settings) -> Settings:
        """`settings` under what the experiment file, and changes of it, say of generators, tasks and plugins."""
        for layer in self.settings.layers:
            path = layer.path or (self.path if layer.origin == _FILE else None)
            settings = settings.over(attrs.evolve(layer, path=path))
        return settings


def registry_under(experiment: Experiment, registry: Registry) -> Registry:
    """The same plugins, under what the experiment says of generators, tasks and plugins.

    Raises:
        UsageError: something of that means nothing.
    """
    layered = registry.with_settings(experiment.layered(registry.settings))
    check_instances(layered, experiment.settings)
    return layered


def load_experiment(path: Path, changes: Iterable[str] = ()) -> Experiment:
    """Read an experiment file.

    Args:
        changes: `a.b=value` pairs that override values of the file; values are TOML, or else text. Relative paths
            in changes of generators, tasks and plugins refer to the working directory; those in `dataset.options`
            and `dataset.vectors` to the file's folder, as the ones that they replace.

    Raises:
        UsageError: the file is missing, not TOML, or says something that nobody understands.
    """
    data = read_toml(path)
    # `trackers` is a list of names, or tables that describe them: who describes one here wants it.
    described = data.get("trackers")
    said: Table = {name: data.pop(name) for name in TABLES if name in data}
    if isinstance(described, dict):
        data["trackers"] = list(described)
    elif described is not None:
        data["trackers"] = said.pop("trackers")
    changed: Table = {}
    for change in changes:
        assign(changed if changes_registry(change) else data, change)
    layers = [Layer(_FILE, said, path)] if said else []
    if changed:  # a layer without a file: its relative paths refer to the working directory
        layers.append(Layer(_CHANGES, changed))
    shown = {name for name in option_names(Experiment) if name not in ("settings", "path")}
    if unknown := sorted(set(data) - shown):
        raise UsageError(f"unknown option {unknown[0]!r}", where=path, remedy=nearest(unknown[0], {*shown, *TABLES}))
    data = located({"overrides": {}, **data}, path.parent, "overrides")
    # With its path, which messages name.
    experiment = structure({**data, "path": str(path)}, Experiment, str(path))
    features = located_word_vectors(experiment.features, path.parent)
    return attrs.evolve(experiment, features=features, settings=Settings(tuple(layers)), path=path)


def changes_registry(change: str) -> bool:
    """Whether `a.b=value` is about a table of registry.toml, and not about the experiment's own list of trackers."""
    key = change.partition("=")[0].strip()
    return key.split(".")[0].strip() in TABLES and key != "trackers"


def located(data: Table, folder: Path, table: str) -> Table:
    """The same data, in whose `table` texts that begin with `./`, `../` or `~/` are paths from `folder`.

    Which of a part's options are paths only the part knows; a name that may be a path has to look like one.
    """

    def place(value: object) -> object:
        if isinstance(value, dict):
            return {name: place(each) for name, each in value.items()}
        if isinstance(value, str) and value.startswith(("./", "../", "~/")):
            return str(folder.resolve() / Path(value).expanduser())
        return value

    return {**data, table: place(data[table])} if table in data else data


def located_word_vectors(features: FeatureSettings, folder: Path) -> FeatureSettings:
    """Features whose file of word vectors, if there is one, is looked for in `folder` when its path is relative."""
    if features.word_vectors is None:
        return features
    return attrs.evolve(features, word_vectors=str(folder.resolve() / Path(features.word_vectors).expanduser()))


def assign(data: Table, change: str) -> None:
    """Set `a.b=value` in nested tables. The value is read as TOML, and as plain text when it is not.

    Raises:
        UsageError: there is no `=`, or a table of the path is a value.
    """
    key, equals, text = change.partition("=")
    *parents, name = (part.strip() for part in key.split("."))
    if not equals or not name:
        raise UsageError(f"{change!r} is not of the form name=value", remedy="for example training.epochs=3")
    table: object = data
    for parent in parents:
        assert isinstance(table, dict)
        table = table.setdefault(parent, {})
        if not isinstance(table, dict):
            raise UsageError(f"{parent!r} in {change!r} is not a table")
    assert isinstance(table, dict)
    table[name] = parse_value(text.strip())


def parse_value(text: str) -> object:
    """A TOML value, or the text itself when it is not one."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def plain(value: object) -> object:
    """What JSON can say: records are tables; paths, times and numbers that are not finite are texts."""
    kind = type(value)
    if attrs.has(kind):
        value = {field.name: getattr(value, field.name) for field in attrs.fields(kind)}
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    said = value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))
    return value if said else str(value)


def options_from(pairs: Iterable[str]) -> dict[str, object]:
    """`name=value` pairs of the command line as an options table."""
    table: Table = {}
    for pair in pairs:
        assign(table, pair)
    return table
