"""The card of an exported model: Markdown for people, in which what comes from data is text and nothing else."""

import re
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import jinja2

from genre.errors import UsageError
from genre.modeling import TrainedModel
from genre.modeling.metrics import METRICS
from genre.parts import Kind, Part
from genre.registry import Registry
from genre.version import __version__

_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def model_card(model: TrainedModel, rows: Sequence[Mapping[str, object]], registry: Registry) -> str:
    """The card.

    Args:
        rows: results of the model, as in `results.json`; may be empty.

    Raises:
        UsageError: a part of the model is not registered.
    """
    environment = jinja2.Environment(  # noqa: S701  Markdown: `finalize` escapes whatever the template shows
        loader=jinja2.PackageLoader("genre.experiments", "templates"),
        finalize=markdown_text,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    recommender = model.recommender
    return environment.get_template("model-card.md.jinja").render(
        baseline=recommender.baseline,
        settings=model.settings,
        seed=model.seed,
        leaked=model.leaked,
        provenance=model.provenance,
        asked=any(step.get("models") for step in model.provenance.lineage) if model.provenance else False,
        fusion=recommender.fusion is not None,
        users=len(model.vocabulary.users),
        candidate_aware=recommender.candidate_aware,
        weights=sum(value.numel() for value in recommender.parameters()),
        parts=_parts(model, registry),
        readers=_readers(model, registry),
        metrics=METRICS,
        rows=rows,
        shown=_shown,
        versions={"genre-rec": __version__, **_versions("torch", "safetensors", "tokenizers")},
    )


def markdown_text(value: object) -> str:
    """A value as Markdown that shows just this value, on one line: no tag, link, emphasis or table cell comes of it."""
    text = " ".join(str(value).split())
    text = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    text = re.sub(r"[\\`*_{}\[\]()#!|~$:@'\"=^/]", r"\\\g<0>", text)
    text = re.sub(r"(?<!\d)\.|\.(?!\d)", r"\.", text)  # no www.address becomes a link
    return re.sub("[&<>]", lambda found: _ENTITIES[found[0]], text)


def _shown(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, int | float) else "-"


def _parts(model: TrainedModel, registry: Registry) -> list[tuple[str, str, str]]:
    """Kind, name and provider of each part."""
    baseline = model.recommender.baseline
    encoders = model.recommender.news_tower.encoder_names
    named: list[tuple[Kind, str]] = [("field-encoder", name) for name in encoders]
    named += [
        ("news-encoder", baseline.news_encoder),
        ("user-encoder", baseline.user_encoder),
        ("interaction", baseline.interaction),
    ]
    return [(kind, name, registry.release(kind, name)) for kind, name in named]


def _readers(model: TrainedModel, registry: Registry) -> list[tuple[str, str]]:
    """What read the data, and what its record says of where such data come from."""
    steps = model.provenance.lineage if model.provenance else ()
    found = []
    for step in steps:
        name = step.get("reader")
        if step.get("operation") == "read" and isinstance(name, str):
            found.append((name, _source(registry, name)))
    return found


def _source(registry: Registry, reader: str) -> str:
    try:
        part = registry.get("dataset", reader)
    except UsageError:  # the model may be exported where the reader is not installed
        return ""
    return part.source if isinstance(part, Part) else ""


def _versions(*names: str) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
