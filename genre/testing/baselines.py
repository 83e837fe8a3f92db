"""Suite of baselines: whole recommenders, on a small data set with planted preferences."""

import tempfile
from functools import cached_property
from pathlib import Path
from typing import Final

import attrs
import numpy as np
import polars as pl
from numpy.typing import NDArray

from genre.dataset import Dataset
from genre.errors import RunError
from genre.modeling import (
    EvaluationSettings,
    Features,
    FeatureSettings,
    Recommender,
    TrainedModel,
    TrainingSettings,
    build_recommender,
    evaluate,
    load_model,
    prepare_features,
    save_model,
    score_split,
    summarize,
    train,
    with_frozen_states,
    with_tokenizers,
)
from genre.modeling.batches import GroupSampler
from genre.modeling.losses import LOSSES
from genre.modeling.ragged import Ragged
from genre.parts import Baseline
from genre.testing.check import Check, ConformanceError, require
from genre.testing.planted import planted_dataset, with_topics
from genre.testing.subject import Subject
from genre.testing.tensors import dense, seeded_checks_of

_SPLIT: Final = "dev"
_EPOCHS: Final = 30
_LEARNED: Final = 0.95
_TRAINING: Final = TrainingSettings(epochs=_EPOCHS, batch_size=16, patience=_EPOCHS, stop_split="train")

_RUN_THEIRS: Final = "run the checks of its encoders and its interaction"

Scores = NDArray[np.float32]


def baseline_checks(subject: Subject, *, features: FeatureSettings | None = None) -> list[Check]:
    """The suite of a baseline.

    Args:
        subject: the baseline.
        features: the fields that it sees; default: titles, abstracts, categories and subcategories. The data set also
            has `title_entities` and the vectors `cover`.
    """
    return seeded_checks_of(_Laws(subject, features or FeatureSettings(texts={"title": 8, "abstract": 8})))


@attrs.define(eq=False, slots=False)
class _Laws:
    subject: Subject
    wanted: FeatureSettings

    def it_scores_every_candidate(self) -> None:
        scores = self._scores(self._model())
        expected = len(self._features.split(_SPLIT).candidates.values)
        require(
            scores.shape == (expected,) and bool(np.isfinite(scores).all()),
            "every candidate of a split gets one finite score",
            found=f"{scores.shape} for {expected} candidates, {int((~np.isfinite(scores)).sum())} not finite",
            remedy=_RUN_THEIRS,
        )

    def the_make_up_of_a_batch_changes_no_score(self) -> None:
        alone = EvaluationSettings(news_per_chunk=1, readers_per_chunk=1, pairs_per_chunk=1)
        model = self._model()
        _require_close(
            self._scores(model, settings=alone),
            self._scores(model),
            "one news, one reader, one pair at a time score as all together",
        )

    def the_order_of_candidates_changes_no_score(self) -> None:
        dataset = self._dataset
        reversed_lists = {name: dataset.impressions[name].list.reverse() for name in ("candidates", "labels")}
        other = attrs.evolve(dataset, impressions=dataset.impressions.with_columns(**reversed_lists))
        model, split = self._model(), self._features.split(_SPLIT)
        got = self._scores(model, self._prepared(other))
        back = np.concatenate([got[first:last][::-1] for first, last in _ranges(split.candidates.offsets)])
        _require_close(back, self._scores(model), "candidates in another order get the scores that they had")

    def nothing_to_read_gives_finite_scores(self) -> None:
        """News without any text, readers without any click."""
        dataset = self._dataset
        odd = attrs.evolve(
            dataset,
            texts=dataset.texts.filter(~dataset.texts["news"].is_in([0, 1, 2])),
            readers=dataset.readers.with_columns(history=dataset.readers["history"].list.head(0)),
        )
        scores = self._scores(self._model(), self._prepared(odd))
        require(
            bool(np.isfinite(scores).all()),
            "news without text and readers without history have finite scores",
            found=f"{int((~np.isfinite(scores)).sum())} scores that are not finite",
            remedy="let a masked softmax or mean of nothing be zero (`genre.modeling.blocks`)",
        )

    def every_field_that_it_is_given_counts(self) -> None:
        """Models that silently leave fields out cannot be compared with models that read them."""
        model, features = self._model(), self._features
        before = self._scores(model)
        for field in features.settings.field_kinds:
            require(
                not np.array_equal(self._scores(model, _with_other(features, field)), before),
                "a baseline reads every field that it is given",
                found=f"its scores are the same whatever {field!r} says",
                remedy="name an encoder that reads the field in `field_encoders`, and let the news encoder use it",
            )

    def topics_change_their_reader_s_scores_alone(self) -> None:
        before, after, own = self._before_and_after(with_topics(self._dataset, {0: ["money"]}, version="again"))
        law = "with fusion, other topics of a reader change all scores of this reader, and nobody else's"
        remedy = "let the interaction read the user vector that it is given: fusion has replaced it"
        require(bool((before[own] != after[own]).all()), law, found="scores that did not change", remedy=remedy)
        require(bool((before[~own] == after[~own]).all()), law, found="others' scores changed", remedy=remedy)

    def another_history_changes_its_reader_s_scores_alone(self) -> None:
        readers = self._dataset.readers
        clicks = readers["history"].to_list()
        clicks[0] = [(news + 1) % self._dataset.news.height for news in clicks[0]]  # of the next category
        history = pl.Series("history", clicks, dtype=readers["history"].dtype)
        other = attrs.evolve(self._dataset, readers=readers.with_columns(history))
        before, after, own = self._before_and_after(other)
        law = "what a reader clicked changes scores of this reader, and nobody else's"
        remedy = "run the checks of its user encoder and its interaction"
        require(bool((before[own] != after[own]).any()), law, found="scores that did not change", remedy=remedy)
        require(bool((before[~own] == after[~own]).all()), law, found="others' scores changed", remedy=remedy)

    def every_weight_that_is_trained_gets_a_gradient(self) -> None:
        model, features = self._model().train(), self._frozen
        waiting = {name for name, weight in model.named_parameters() if weight.requires_grad}
        for epoch in range(1, 4):
            for batch in GroupSampler(features, _TRAINING, 0).epoch(epoch):
                model.zero_grad()
                LOSSES[model.baseline.loss](model(batch), batch.labels, batch.mask).backward()  # type: ignore[no-untyped-call]
                for name, weight in model.named_parameters():
                    if weight.grad is not None and bool(dense(weight.grad).any()):
                        waiting.discard(name)
        # The data set has no regions: their embeddings have nothing to learn from.
        waiting -= {name for name in waiting if name.startswith("fusion.embeddings.regions")}
        require(
            not waiting,
            "every weight that is trained gets a gradient that is somewhere not zero",
            found=f"none for {', '.join(sorted(waiting))}",
            remedy=_RUN_THEIRS,
        )

    def the_same_seed_gives_the_same_training(self) -> None:
        short = attrs.evolve(_TRAINING, epochs=2)
        scores = []
        for _ in range(2):
            model = self._model()
            train(model, self._frozen, short, seed=1)
            scores.append(self._scores(model))
        require(
            bool((scores[0] == scores[1]).all()),
            "two trainings with the same seed give the same model",
            found=f"scores that differ by up to {np.abs(scores[0] - scores[1]).max():g}",
            remedy="draw from torch's random state only, and in training mode only",
        )

    def a_model_survives_its_folder(self) -> None:
        """After some training: what only training moves must be in the folder as well."""
        model = self._model()
        train(model, self._frozen, attrs.evolve(_TRAINING, epochs=1), seed=1)
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "model"
            save_model(place, TrainedModel(model, self._features.vocabulary, self._features.settings))
            loaded = load_model(place, self.subject.registry).recommender
        _require_close(
            self._scores(loaded),
            self._scores(model),
            "a model that was trained, saved and loaded gives its scores",
            "keep what decides the scores in parameters and buffers, and register buffers as persistent",
        )

    def it_overfits_a_small_planted_set(self) -> None:
        law = f"it learns planted preferences: AUC of {_LEARNED} on what it was trained on, within {_EPOCHS} epochs"
        model = self._model(fusion=False)
        try:
            train(model, self._frozen, attrs.evolve(_TRAINING, patience=8), seed=0)
        except RunError as error:
            raise ConformanceError(law, str(error), "check its loss and the scale of its weights") from error
        auc = summarize(evaluate(model, self._frozen, "train").impressions)[0]["auc"]
        require(
            isinstance(auc, float) and auc >= _LEARNED,
            law,
            found=f"AUC {auc!r}",
            remedy="check that the loss fits the interaction, and that history and candidate both reach the score",
        )

    @cached_property
    def _record(self) -> Baseline:
        return self.subject.registry.baseline(self.subject.name)

    @cached_property
    def _dataset(self) -> Dataset:
        topics = {reader: ["football", "money"][: 1 + reader % 2] for reader in range(20)}
        return with_topics(planted_dataset(users=40, news=40), topics)

    @cached_property
    def _features(self) -> Features:
        settings = with_tokenizers(self.subject.registry, self._record, self.wanted)
        return prepare_features(self._dataset, settings)

    @cached_property
    def _frozen(self) -> Features:
        return with_frozen_states(self._features, self._model())

    def _before_and_after(self, other: Dataset) -> tuple[Scores, Scores, NDArray[np.bool_]]:
        """Scores with the data set and with another one, and which are those of the first reader."""
        model, split = self._model(), self._features.split(_SPLIT)
        own = split.readers[split.candidates.rows] == 0
        return self._scores(model), self._scores(model, self._prepared(other)), own

    def _prepared(self, dataset: Dataset) -> Features:
        return prepare_features(dataset, self._features.settings, vocabulary=self._features.vocabulary)

    def _model(self, *, fusion: bool = True) -> Recommender:
        vocabulary, settings = self._features.vocabulary, self._features.settings
        model = build_recommender(self.subject.registry, self._record, vocabulary, settings, fusion=fusion, seed=0)
        return model.eval()

    def _scores(
        self, model: Recommender, features: Features | None = None, settings: EvaluationSettings | None = None
    ) -> Scores:
        features = features or self._features
        split = features.split(_SPLIT)
        return score_split(model, features, split, settings or EvaluationSettings())


def _with_other(features: Features, field: str) -> Features:
    """The same news, which say something else in one field; what was missing is missing still."""
    news = features.news
    texts = {name: _mirrored(ids) if name == field else ids for name, ids in news.texts.items()}
    entities = {name: _mirrored(ids) if name == field else ids for name, ids in news.entities.items()}
    categories = {
        name: np.where(ids == 0, 0, ids.max(initial=0) + 1 - ids).astype(np.int32) if name == field else ids
        for name, ids in news.categories.items()
    }
    vectors = {
        name: (-values if name == field else values, present) for name, (values, present) in news.vectors.items()
    }
    other = attrs.evolve(news, texts=texts, entities=entities, categories=categories, vectors=vectors)
    return attrs.evolve(features, news=other)


def _mirrored(ids: Ragged) -> Ragged:
    return Ragged(ids.values[::-1].copy(), ids.offsets)


def _ranges(offsets: NDArray[np.int64]) -> list[tuple[int, int]]:
    return list(zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True))


def _require_close(got: Scores, expected: Scores, law: str, remedy: str = _RUN_THEIRS) -> None:
    require(
        bool(np.allclose(got, expected, atol=1e-5, rtol=1e-4)),
        law,
        found=f"scores that differ by up to {np.abs(got - expected).max():g}",
        remedy=remedy,
    )
