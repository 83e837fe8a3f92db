"""The typed records that hooks yield. A record is light: it names its code by an import string."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import attrs

from genre.parts.names import NAME_RULE, is_name

Kind: TypeAlias = Literal[
    "dataset",
    "prompter",
    "generator",
    "updater",
    "task",
    "gate",
    "field-encoder",
    "news-encoder",
    "user-encoder",
    "interaction",
    "baseline",
    "executor",
    "tracker",
    "command",
]
"""What a part plugs into."""


def must_be_name(_instance: object, attribute: "attrs.Attribute[str]", value: str) -> None:
    """Validator of a field that is a part's name.

    Raises:
        ValueError: it is none.
    """
    if not is_name(value):
        raise ValueError(f"{attribute.name} {value!r} must be {NAME_RULE}")


def must_be_import_string(_instance: object, attribute: "attrs.Attribute[str]", value: str) -> None:
    """Validator of a field that names code.

    Raises:
        ValueError: it is no import string.
    """
    module, _, member = value.partition(":")
    if not (all(part.isidentifier() for part in module.split(".")) and member.isidentifier()):
        raise ValueError(f"{attribute.name} {value!r} must be an import string such as 'my_package.module:Name'")


@attrs.frozen(kw_only=True)
class Part:
    """A part that a plugin offers: a name, one line about it, and where its code is.

    Attributes:
        name: lower-case words joined by hyphens; unique among the parts of its kind.
        summary: one line for `genre plugins list`.
        source: where it comes from (paper, equation); may be empty.
        target: import string of what is called with the options (and the keywords that the kind's contract names).
        options: import string of an attrs class, or None for a part without options.
    """

    name: str = attrs.field(validator=must_be_name)
    summary: str = attrs.field(validator=attrs.validators.min_len(1))
    source: str = ""
    target: str = attrs.field(validator=must_be_import_string)
    options: str | None = attrs.field(default=None, validator=attrs.validators.optional(must_be_import_string))


@attrs.frozen(kw_only=True)
class Encoder(Part):
    """A part that encodes fields of news, whole news, or users.

    Attributes:
        encodes: what it encodes.
    """

    encodes: Literal["field", "news", "user"]


@attrs.frozen(kw_only=True)
class Task:
    """An enrichment task: a prompter and an updater by name, and the options that make them this task.

    Attributes:
        name, summary, source: as in `Part`.
        prompter: name of the prompter that asks.
        updater: name of the updater that puts the answers into the data set.
        defaults: options of the two, by name; `[tasks.NAME]` in registry.toml and a round override them.
        gates: names of gates that every answer passes, with their options.
    """

    name: str = attrs.field(validator=must_be_name)
    summary: str = attrs.field(validator=attrs.validators.min_len(1))
    source: str = ""
    prompter: str
    updater: str
    defaults: Mapping[str, object] = attrs.field(factory=dict)
    gates: Mapping[str, Mapping[str, object]] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Baseline:
    """A recommender: the names of its parts, its loss, and the hyper-parameters of the paper.

    Attributes:
        name, summary, source: as in `Part`.
        field_encoders: which registered field encoder reads a field; by the field's name or else by its kind.
        news_encoder, user_encoder, interaction: names of registered parts.
        loss: `"cross-entropy"` over one positive and k negatives (matching models, equation 4), or `"binary"`
            cross-entropy of the click probability (ranking models, equation 3).
        dim: width of the news and user vectors.
        field_options: options of each field encoder, by its name.
        news_options, user_options, interaction_options: options of the other parts.
    """

    name: str = attrs.field(validator=must_be_name)
    summary: str = attrs.field(validator=attrs.validators.min_len(1))
    source: str = ""
    field_encoders: Mapping[str, str]
    news_encoder: str
    user_encoder: str
    interaction: str
    loss: Literal["cross-entropy", "binary"]
    dim: int = attrs.field(default=64, validator=attrs.validators.ge(1))
    field_options: Mapping[str, Mapping[str, object]] = attrs.field(factory=dict)
    news_options: Mapping[str, object] = attrs.field(factory=dict)
    user_options: Mapping[str, object] = attrs.field(factory=dict)
    interaction_options: Mapping[str, object] = attrs.field(factory=dict)


AnyPart: TypeAlias = Part | Task | Baseline
"""Any record that a hook may yield."""
