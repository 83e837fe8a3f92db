"""From a `Baseline` record to a `Recommender`: which registered part reads what, and whether the parts fit."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import attrs
import torch

from genre.errors import UsageError, nearest
from genre.modeling.features import field_specs
from genre.modeling.fusion import InterestFusion
from genre.modeling.news_tower import NewsTower
from genre.modeling.recommender import Recommender
from genre.modeling.settings import FeatureSettings
from genre.modeling.vocabulary import INTERESTS, Vocabulary, read_tokenizer, tokenizer_hash
from genre.parts import (
    WORDS,
    Baseline,
    FieldEncoder,
    FieldSpec,
    Interaction,
    NewsEncoder,
    PretrainedEmbedding,
    UserEncoder,
)
from genre.registry import Registry


def build_recommender(
    registry: Registry,
    baseline: Baseline | str,
    vocabulary: Vocabulary,
    settings: FeatureSettings,
    *,
    fusion: bool,
    dim: int | None = None,
    seed: int = 0,
    word_vectors: PretrainedEmbedding | None = None,
) -> Recommender:
    """A recommender with random weights.

    Args:
        baseline: a record, or the name of a registered one.
        vocabulary, settings: as of the features that it will see.
        fusion: whether readers' interests join the user vector (equations 1 and 2). The caller states it; it does not
            follow from the data.
        dim: width of the vectors, in place of the baseline's.
        seed: of the weights. The global random state stays as it is.
        word_vectors: what embeddings of words start from.

    Raises:
        UsageError: a part is unknown, disabled or given a wrong option, or the parts do not fit together.
    """
    record = registry.baseline(baseline) if isinstance(baseline, str) else baseline
    record = attrs.evolve(record, dim=dim or record.dim)
    where = f"baseline {record.name}"
    fields = field_specs(vocabulary, settings, word_vectors)
    readers = field_encoder_names(registry, record, settings)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoders: dict[str, tuple[FieldEncoder, tuple[str, ...]]] = {}
        for name, field_names in readers.items():
            read = tuple(field for field in fields if field.name in field_names)
            for field_name in field_names:
                _check_tokens(_tokenizer(registry, record, name), where, settings, vocabulary, field_name)
            encoders[name] = _create_field_encoder(registry, record, name, read), field_names
        news_encoder = registry.create(
            "news-encoder",
            record.news_encoder,
            record.news_options,
            where=f"{where}, news_options",
            fields=len(fields),
            dim=record.dim,
        )
        user_encoder = registry.create(
            "user-encoder",
            record.user_encoder,
            record.user_options,
            where=f"{where}, user_options",
            dim=record.dim,
            users=len(vocabulary.users) + 1,
        )
        interaction = registry.create(
            "interaction",
            record.interaction,
            record.interaction_options,
            where=f"{where}, interaction_options",
            dim=record.dim,
            fields=len(fields),
        )
        return Recommender(
            record,
            NewsTower(fields, encoders, cast(NewsEncoder, news_encoder)),
            cast(UserEncoder, user_encoder),
            cast(Interaction, interaction),
            _create_fusion(record.dim, vocabulary) if fusion else None,
        )


def field_encoder_names(
    registry: Registry, baseline: Baseline, settings: FeatureSettings
) -> Mapping[str, tuple[str, ...]]:
    """The field encoders that a baseline reads these fields with, each with its fields in order.

    Raises:
        UsageError: there is no field, a field has no encoder, or an option is for an encoder that is not used at all.
    """
    where = f"baseline {baseline.name}, field_encoders"
    kinds = settings.field_kinds
    if not kinds:
        raise UsageError("the model sees no field of the news", where="texts", remedy='name one, such as {"title": 20}')
    for name in dict.fromkeys(baseline.field_encoders.values()):
        registry.get("field-encoder", name, where=where)
    for name in baseline.field_options:
        if name not in baseline.field_encoders.values():
            raise UsageError(
                f"options for the field encoder {name!r}, which reads no field",
                where=f"baseline {baseline.name}, field_options",
                remedy=nearest(name, baseline.field_encoders.values()),
            )
    chosen: dict[str, tuple[str, ...]] = {}
    for field, kind in kinds.items():
        encoder = baseline.field_encoders.get(field, baseline.field_encoders.get(kind))
        if encoder is None:
            encoders = [entry.part.name for entry in registry.parts("field-encoder") if entry.enabled]
            raise UsageError(
                f"it names no encoder for the field {field!r}, nor for fields of the kind {kind!r}",
                where=where,
                remedy=f"leave the field out of the features, or name one of {', '.join(encoders)}",
            )
        chosen[encoder] = (*chosen.get(encoder, ()), field)
    return chosen


def with_tokenizers(registry: Registry, baseline: Baseline, settings: FeatureSettings) -> FeatureSettings:
    """Settings whose text fields are cut into the tokens that the baseline's encoders read.

    Raises:
        UsageError: as `field_encoder_names`, an encoder's tokenizer is not to be found, or the settings have some
            already.
    """
    if settings.tokenizers:
        raise UsageError(
            "tokenizers are given, and they follow from the baseline's encoders",
            where="features.tokenizers",
            remedy="leave them out; choose another encoder of texts to read other tokens",
        )
    tokenizers = {}
    for encoder, fields in field_encoder_names(registry, baseline, settings).items():
        tokenizer = _tokenizer(registry, baseline, encoder)
        if tokenizer != WORDS:
            tokenizers.update({field: tokenizer for field in fields if field in settings.texts})
    return attrs.evolve(settings, tokenizers=tokenizers)


def content_keys(registry: Registry, baseline: Baseline) -> tuple[str, ...]:
    """Hashes of the files that the baseline's field encoders are made from.

    Raises:
        UsageError: a part is unknown or disabled, an option is wrong, or the files are not to be found.
    """
    keys = []
    for encoder in dict.fromkeys(baseline.field_encoders.values()):
        if ask := getattr(registry.target("field-encoder", encoder), "content_key", None):
            keys.append(str(ask(_structured(registry, baseline, encoder))))
    return tuple(key for key in keys if key)


def saved_baseline(recommender: Recommender, tokenizers: Mapping[str, str]) -> Baseline:
    """The record that a saved model is made from, without the files that its encoders were made from.

    Args:
        tokenizers: hash of the tokenizer of each text field that is not read as words.
    """
    tower, record = recommender.news_tower, recommender.baseline
    options = {name: dict(each) for name, each in record.field_options.items()}
    for name, encoder, fields in zip(tower.encoder_names, tower.field_encoders, tower.encoder_fields, strict=True):
        if save := getattr(encoder, "saved_options", None):
            options[name] = dict(save(next((tokenizers[field] for field in fields if field in tokenizers), WORDS)))
    return attrs.evolve(record, field_options=options)


def _tokenizer(registry: Registry, baseline: Baseline, encoder: str) -> str:
    target = registry.target("field-encoder", encoder)
    ask = getattr(target, "tokenizer", None)
    if ask is None:
        return WORDS
    return str(ask(_structured(registry, baseline, encoder)))


def _structured(registry: Registry, baseline: Baseline, encoder: str) -> object:
    where = f"baseline {baseline.name}, field_options.{encoder}"
    return registry.structure_options("field-encoder", encoder, _options(baseline, encoder), where=where)


def _options(baseline: Baseline, encoder: str) -> Mapping[str, object]:
    return baseline.field_options.get(encoder, {})


def _create_field_encoder(
    registry: Registry, baseline: Baseline, name: str, fields: tuple[FieldSpec, ...]
) -> FieldEncoder:
    where = f"baseline {baseline.name}, field_options.{name}"
    encoder = cast(
        FieldEncoder,
        registry.create("field-encoder", name, _options(baseline, name), where=where, fields=fields, dim=baseline.dim),
    )
    for field in fields:
        if field.kind not in encoder.kinds:
            raise UsageError(
                f"the field encoder {name!r} reads {' or '.join(encoder.kinds)}, and {field.name!r} is of the kind "
                f"{field.kind!r}",
                where=f"baseline {baseline.name}, field_encoders",
                remedy="name another encoder for it",
            )
    return encoder


def _check_tokens(wanted: str, where: str, settings: FeatureSettings, vocabulary: Vocabulary, field: str) -> None:
    """Ids of one tokenizer mean nothing to an encoder that reads another's. Files are compared by what they say."""
    given = settings.tokenizers.get(field, WORDS)
    if field not in settings.texts or given == wanted:
        return
    hashed = given if given == WORDS else tokenizer_hash(vocabulary.tokenizers[given])
    if hashed != (tokenizer_hash(read_tokenizer(Path(wanted))) if Path(wanted).is_file() else wanted):
        raise UsageError(
            f"the encoder of {field!r} reads tokens of {wanted!r}, and those of the features are of {given!r}",
            where=where,
            remedy="prepare the features with `with_tokenizers(registry, baseline, settings)`",
        )


def _create_fusion(dim: int, vocabulary: Vocabulary) -> InterestFusion:
    # In the order of INTERESTS, which weights depend on; a loaded vocabulary has an order of its own.
    return InterestFusion(dim, {kind: len(vocabulary.interests[kind]) + 1 for kind in INTERESTS})
