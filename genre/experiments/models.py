"""Training and evaluating one model: a baseline on a data set, and a trained model on another."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import get_args

import attrs
import polars as pl

from genre.dataset import Dataset
from genre.errors import RunError, UsageError, nearest
from genre.experiments.observer import Observer
from genre.experiments.plan import BaselineOverride
from genre.experiments.results import Cell
from genre.modeling import (
    CheckpointSettings,
    EpochReport,
    Features,
    FeatureSettings,
    Provenance,
    Recommender,
    StepReport,
    TrainedModel,
    TrainingResult,
    TrainingSettings,
    WordVectors,
    build_recommender,
    content_keys,
    evaluate,
    file_state,
    prepare_features,
    read_word_vectors,
    summarize,
    train,
    with_frozen_states,
    with_tokenizers,
)
from genre.modeling.devices import chosen_device
from genre.modeling.processes import ALONE, Processes
from genre.modeling.profiling import Profile
from genre.options import structure
from genre.parts import Baseline, EpochFinished, FieldKind, Kind, canonical_json
from genre.registry import Registry
from genre.version import __version__


@attrs.frozen
class CellPlan:
    """Everything that decides a training, its data set apart.

    Attributes:
        cell: names the training, and has its seed.
        baseline: the recommender.
        features: what its encoders see.
        training: how it is trained.
        fusion: whether readers' interests are fused into the user vector (equations 1 and 2).
        report: splits that the trained model is evaluated on.
        releases: who provides the baseline's parts, with versions.

    Raises:
        UsageError: words and users are to be learned from another split than the one that is trained on.
    """

    cell: Cell
    baseline: Baseline
    features: FeatureSettings
    training: TrainingSettings
    fusion: bool = False
    report: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        if self.features.train_split != self.training.train_split:
            raise UsageError(
                f"features.train_split is {self.features.train_split!r}, and training.train_split is "
                f"{self.training.train_split!r}",
                remedy="words, users and interests are learned from the split that is trained on: set both alike",
            )

    def key(self, dataset: Dataset) -> str:
        """Hash of what decides the figures; equal keys need not be trained again."""
        decisive = {
            **attrs.asdict(self),
            "genre": __version__,
            "dataset": dataset.fingerprint,
            "word_vectors": file_state(self.features.word_vectors),
            # Their order decides weights, and canonical JSON sorts keys.
            "order": list(self.features.field_kinds),
        }
        return hashlib.blake2b(canonical_json(decisive).encode(), digest_size=16).hexdigest()


@attrs.frozen(eq=False)
class Built:
    """A model with its first weights, and what it will see.

    Attributes:
        word_vectors: what its embeddings of words start from, if the features name a file.
    """

    recommender: Recommender
    features: Features
    word_vectors: WordVectors | None = None


@attrs.frozen(eq=False)
class Trained:
    """A model, and how its training went.

    Attributes:
        word_vector_share: share of the vocabulary that pre-trained word vectors were found for; None without such.
    """

    model: TrainedModel
    result: TrainingResult
    word_vector_share: float | None = None


@attrs.frozen(eq=False)
class Evaluated:
    """A model's figures on a split.

    Attributes:
        summary: a row a segment (`all`, `new`, `warm`) with the four metrics and the number of impressions.
        impressions: the metrics of every impression, and the scores of its candidates in the data set's order.
    """

    split: str
    summary: Sequence[Mapping[str, object]]
    impressions: pl.DataFrame


def build_model(registry: Registry, dataset: Dataset, plan: CellPlan, *, cache: Path | None = None) -> Built:
    """A model before its training.

    Args:
        cache: folder for prepared features.

    Raises:
        UsageError: a wrong option, a part that does not fit, or a file that is not as it should be.
    """
    settings = with_tokenizers(registry, plan.baseline, plan.features)
    prepared = prepare_features(dataset, settings, cache=cache)
    words = _word_vectors(prepared)
    recommender = build_recommender(
        registry,
        plan.baseline,
        prepared.vocabulary,
        settings,
        fusion=plan.fusion,
        seed=plan.cell.seed,
        word_vectors=None if words is None else words.as_embedding(),
    )
    return Built(recommender, prepared, words)


def train_model(
    registry: Registry,
    dataset: Dataset,
    plan: CellPlan,
    *,
    cache: Path | None = None,
    observer: Observer | None = None,
    processes: Processes = ALONE,
    checkpoints: CheckpointSettings | None = None,
    asked_to_end: Callable[[], bool] | None = None,
    profile: Profile | None = None,
) -> Trained:
    """Train a baseline.

    Args:
        cache: folder for prepared features.
        observer: told of progress; only an `Announcer` tells plugins, too.
        processes, checkpoints, asked_to_end, profile: as of `genre.modeling.train`.

    Raises:
        UsageError: a wrong option, a split that does not exist, or a checkpoint of another training.
        RunError: the training diverged, or interests are to be fused and there are none.
        KeyboardInterrupt: with `checkpoints`, after the batch in which it came, and with a checkpoint of it.
    """
    watcher = observer or Observer()
    cell = plan.cell
    profile = profile or Profile()
    device = chosen_device(plan.training.device)  # a missing one is told before hours of preparation
    with processes.first_in_turn(), profile.phase("preparation"):
        built = build_model(registry, dataset, plan, cache=cache)
    recommender = built.recommender
    if plan.fusion and not any(built.features.vocabulary.interests.values()):
        raise RunError(
            f"{cell.name} fuses interests, and no reader of the split {plan.features.train_split!r} has any",
            remedy="put a round that makes profiles before it, or set fusion = false",
        )
    recommender.to(device)
    with processes.first_in_turn(), profile.phase("preparation"):
        prepared = with_frozen_states(
            built.features,
            recommender,
            cache=cache,
            on_progress=lambda done, total: watcher.on_steps(cell.name, 0, done, total),
        )

    def on_step(report: StepReport) -> None:
        watcher.on_steps(cell.name, report.epoch, report.step, report.steps)

    def on_epoch(report: EpochReport) -> None:
        event = EpochFinished(cell.variant, cell.baseline, cell.seed, report.epoch, report.loss, report.metrics)
        watcher.on_epoch(cell.name, event)

    result = train(
        recommender,
        prepared,
        plan.training,
        seed=cell.seed,
        processes=processes,
        checkpoints=checkpoints,
        on_step=on_step,
        on_epoch=on_epoch,
        on_message=watcher.on_message,
        asked_to_end=asked_to_end,
        profile=profile,
    )
    share = None if built.word_vectors is None else built.word_vectors.share
    provenance = Provenance.of(dataset, cell.variant, plan.training, result)
    model = TrainedModel(
        recommender, prepared.vocabulary, prepared.settings, cell.seed, dataset.leaked, provenance=provenance
    )
    return Trained(model, result, share)


def evaluate_model(
    model: TrainedModel, dataset: Dataset, splits: Sequence[str], *, cache: Path | None = None
) -> list[Evaluated]:
    """Evaluate a trained model on splits of a data set, which need not be the one it was trained on.

    Raises:
        UsageError: there is no such split.
    """
    prepared = prepare_features(dataset, model.settings, vocabulary=model.vocabulary, cache=cache)
    prepared = with_frozen_states(prepared, model.recommender, cache=cache)
    evaluated = []
    for split in splits:
        impressions = evaluate(model.recommender, prepared, split).scored_impressions
        evaluated.append(Evaluated(split, summarize(impressions), impressions))
    return evaluated


def releases(registry: Registry, baseline: Baseline) -> tuple[str, ...]:
    """What the parts of a baseline are made of: who provides them, torch, and the files that some are made from.

    Raises:
        UsageError: a part is unknown, disabled or given a wrong option, or its files are not to be found.
    """
    parts: tuple[tuple[Kind, str], ...] = (
        *(("field-encoder", name) for name in dict.fromkeys(baseline.field_encoders.values())),
        ("news-encoder", baseline.news_encoder),
        ("user-encoder", baseline.user_encoder),
        ("interaction", baseline.interaction),
    )
    made = {registry.release(kind, name) for kind, name in parts}
    return tuple(sorted({*made, *content_keys(registry, baseline), f"torch {version('torch')}"}))


def overridden(baseline: Baseline, override: BaselineOverride) -> Baseline:
    """A baseline with an experiment's changes. Options go with the part: another part starts from its defaults."""
    encoders = {**baseline.field_encoders, **override.field_encoders}
    field_options = {name: dict(each) for name, each in baseline.field_options.items() if name in encoders.values()}
    for name, each in override.field_options.items():
        field_options[name] = {**field_options.get(name, {}), **each}
    news_encoder = baseline.news_encoder if override.news_encoder is None else override.news_encoder
    user_encoder = baseline.user_encoder if override.user_encoder is None else override.user_encoder
    interaction = baseline.interaction if override.interaction is None else override.interaction
    news_options = baseline.news_options if news_encoder == baseline.news_encoder else {}
    user_options = baseline.user_options if user_encoder == baseline.user_encoder else {}
    interaction_options = baseline.interaction_options if interaction == baseline.interaction else {}
    return attrs.evolve(
        baseline,
        dim=override.dim or baseline.dim,
        loss=override.loss or baseline.loss,
        field_encoders=encoders,
        news_encoder=news_encoder,
        user_encoder=user_encoder,
        interaction=interaction,
        field_options=field_options,
        news_options={**news_options, **override.news_options},
        user_options={**user_options, **override.user_options},
        interaction_options={**interaction_options, **override.interaction_options},
    )


def check_override(override: BaselineOverride, features: FeatureSettings, where: str) -> None:
    """Whether every field encoder that an experiment changes has a field to read.

    Raises:
        UsageError: a key is neither a kind of fields nor a field that is seen.
    """
    known = {*get_args(FieldKind), *features.field_kinds}
    if stray := next((name for name in override.field_encoders if name not in known), None):
        raise UsageError(
            f"{stray!r} is neither a kind of fields nor a field that the model sees",
            where=f"{where}.field_encoders",
            remedy=nearest(stray, known),
        )


def overridden_training(training: TrainingSettings, override: BaselineOverride, where: str) -> TrainingSettings:
    """Training settings with an experiment's changes for one baseline.

    Raises:
        UsageError: an unknown option, or a wrong value.
    """
    if not override.training:
        return training
    return structure({**attrs.asdict(training), **override.training}, TrainingSettings, where)


def _word_vectors(features: Features) -> WordVectors | None:
    path = features.settings.word_vectors
    return None if path is None else read_word_vectors(Path(path), features.vocabulary.words)
