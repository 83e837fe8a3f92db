"""From a data set to a trained recommender and its figures.

`features` turns a data set into memory-mapped arrays, `batches` into groups of one positive and k negatives;
`recommender` composes registered parts; `training`, `evaluation` and `metrics` own the loop and the figures;
`checkpoint` keeps what was trained.

The names here are loaded on first use: the settings alone need no torch.
"""

from typing import TYPE_CHECKING, Final

from genre.lazy import importer

if TYPE_CHECKING:
    from genre.modeling.checkpoint import TrainedModel, check_model_folder, load_model, save_model
    from genre.modeling.composition import build_recommender, content_keys, with_tokenizers
    from genre.modeling.evaluation import Evaluation, evaluate, summarize
    from genre.modeling.features import Features, file_state, prepare_features
    from genre.modeling.frozen import with_frozen_states
    from genre.modeling.metrics import impression_metrics
    from genre.modeling.provenance import Provenance
    from genre.modeling.recommender import Recommender
    from genre.modeling.scoring import score_split
    from genre.modeling.settings import CheckpointSettings, EvaluationSettings, FeatureSettings, TrainingSettings
    from genre.modeling.training import StepReport, TrainingResult, train
    from genre.modeling.training_state import EpochReport
    from genre.modeling.vocabulary import Vocabulary, build_vocabulary
    from genre.modeling.word_vectors import WordVectors, read_word_vectors

_HOMES: Final = {
    "CheckpointSettings": "settings",
    "Evaluation": "evaluation",
    "EpochReport": "training_state",
    "EvaluationSettings": "settings",
    "FeatureSettings": "settings",
    "Features": "features",
    "Provenance": "provenance",
    "Recommender": "recommender",
    "StepReport": "training",
    "TrainedModel": "checkpoint",
    "TrainingResult": "training",
    "TrainingSettings": "settings",
    "Vocabulary": "vocabulary",
    "WordVectors": "word_vectors",
    "build_recommender": "composition",
    "build_vocabulary": "vocabulary",
    "content_keys": "composition",
    "file_state": "features",
    "check_model_folder": "checkpoint",
    "evaluate": "evaluation",
    "impression_metrics": "metrics",
    "load_model": "checkpoint",
    "prepare_features": "features",
    "read_word_vectors": "word_vectors",
    "save_model": "checkpoint",
    "score_split": "scoring",
    "summarize": "evaluation",
    "train": "training",
    "with_frozen_states": "frozen",
    "with_tokenizers": "composition",
}

__all__ = [
    "CheckpointSettings",
    "EpochReport",
    "Evaluation",
    "EvaluationSettings",
    "FeatureSettings",
    "Features",
    "Provenance",
    "Recommender",
    "StepReport",
    "TrainedModel",
    "TrainingResult",
    "TrainingSettings",
    "Vocabulary",
    "WordVectors",
    "build_recommender",
    "build_vocabulary",
    "check_model_folder",
    "content_keys",
    "evaluate",
    "file_state",
    "impression_metrics",
    "load_model",
    "prepare_features",
    "read_word_vectors",
    "save_model",
    "score_split",
    "summarize",
    "train",
    "with_frozen_states",
    "with_tokenizers",
]


__getattr__ = importer(__name__, _HOMES)
