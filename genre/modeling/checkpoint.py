"""A trained model as a folder: safetensors, a JSON configuration, and its vocabulary. Nothing is ever unpickled."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs
import safetensors
import safetensors.torch

from genre.errors import UsageError
from genre.modeling.composition import build_recommender, saved_baseline
from genre.modeling.provenance import Provenance
from genre.modeling.recommender import Recommender
from genre.modeling.settings import FeatureSettings
from genre.modeling.tensor_files import save_tensors
from genre.modeling.vocabulary import Vocabulary, tokenizer_hash
from genre.options import structure
from genre.parts import WORDS, Baseline
from genre.registry import Registry
from genre.staging import staged_folder

_FORMAT: Final = 2
CONFIG: Final = "model.json"
"""The file by which a folder is known to hold a model."""
_VOCABULARY, _WEIGHTS = "vocabulary.json", "model.safetensors"
_CARD: Final = "README.md"
_REMEDY: Final = "train and save the model again"


@attrs.frozen(eq=False)
class TrainedModel:
    """A model and what its inputs mean: `prepare_features(dataset, model.settings, vocabulary=model.vocabulary)`.

    Attributes:
        seed: of the training.
        leaked: it was trained on a data set whose answers were made from more than the prompts say.
        provenance: how it was made; None where nobody knows.
    """

    recommender: Recommender
    vocabulary: Vocabulary
    settings: FeatureSettings
    seed: int = 0
    leaked: bool = False
    provenance: Provenance | None = None


@attrs.frozen
class _Config:
    """
    Attributes:
        files: hash of each other file; empty in models of earlier versions.
    """

    format: int
    baseline: Baseline
    fusion: bool
    settings: FeatureSettings
    seed: int
    leaked: bool
    provenance: Provenance | None = None
    files: Mapping[str, str] = attrs.field(factory=dict)


def check_model_folder(folder: Path) -> None:
    """Whether a model may be saved here; to be asked before hours of training.

    Raises:
        UsageError: `folder` holds something that is not a model.
    """
    if folder.exists() and not (folder / CONFIG).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError("this exists and holds no model", where=folder, remedy="name another folder")


def save_model(folder: Path, model: TrainedModel, *, card: str | None = None) -> None:
    """Write a model to `folder`, whole or not at all; a model that was there is replaced.

    Args:
        card: what people should know of it, as Markdown; becomes README.md.

    Raises:
        UsageError: `folder` holds something that is not a model, or cannot be made.
        RunError: the model cannot be written.
    """
    check_model_folder(folder)
    model = _without_files(model)
    recommender = model.recommender
    fusion = recommender.fusion is not None
    tokenizers = model.settings.tokenizers
    baseline = saved_baseline(recommender, tokenizers)
    with staged_folder(folder, "model", existing="replace") as staging:
        (staging / _VOCABULARY).write_text(model.vocabulary.to_json(), encoding="utf-8")
        save_tensors(staging / _WEIGHTS, recommender.state_dict())
        shutil.copymode(staging / _VOCABULARY, staging / _WEIGHTS)  # safetensors lets nobody else read its files
        files = {name: _file_hash(staging / name) for name in (_VOCABULARY, _WEIGHTS)}
        config = _Config(_FORMAT, baseline, fusion, model.settings, model.seed, model.leaked, model.provenance, files)
        text = json.dumps(attrs.asdict(config), indent=2, ensure_ascii=False)
        (staging / CONFIG).write_text(text + "\n", encoding="utf-8")
        if card is not None:
            (staging / _CARD).write_text(card, encoding="utf-8")


def _without_files(model: TrainedModel) -> TrainedModel:
    """The same model, which names tokenizers by what they say and no file of word vectors: both may be gone later."""
    names = {
        source: WORDS if source == WORDS else tokenizer_hash(text)
        for source, text in model.vocabulary.tokenizers.items()
    }
    vocabulary = attrs.evolve(
        model.vocabulary, tokenizers={names[source]: text for source, text in model.vocabulary.tokenizers.items()}
    )
    tokenizers = {field: names[source] for field, source in model.settings.tokenizers.items()}
    settings = attrs.evolve(model.settings, tokenizers=tokenizers, word_vectors=None)
    return attrs.evolve(model, vocabulary=vocabulary, settings=settings)


def load_model(folder: Path, registry: Registry) -> TrainedModel:
    """Read what `save_model` wrote; the recommender is in evaluation mode.

    Raises:
        UsageError: the folder is missing, incomplete, damaged or was altered, or a part of the model is not registered.
    """
    path = folder / CONFIG
    values = _read_json(path)
    number = values.get("format", _FORMAT)
    if number != _FORMAT:  # before anything else is read: another format has other options
        raise UsageError(f"format {number!r}, and this version reads {_FORMAT}", where=path, remedy=_REMEDY)
    config = structure(values, _Config, str(path))
    _check_files(folder, config.files)
    vocabulary = Vocabulary.from_json(_read(folder / _VOCABULARY), where=folder / _VOCABULARY)
    _check_vocabulary(vocabulary, config.settings, folder / _VOCABULARY)
    recommender = build_recommender(registry, config.baseline, vocabulary, config.settings, fusion=config.fusion)
    weights = folder / _WEIGHTS
    try:
        recommender.load_state_dict(safetensors.torch.load_file(weights))
    except (OSError, safetensors.SafetensorError, RuntimeError) as error:
        raise UsageError(f"the weights cannot be read: {error}", where=weights, remedy=_REMEDY) from error
    recommender.eval()
    return TrainedModel(recommender, vocabulary, config.settings, config.seed, config.leaked, config.provenance)


def _check_files(folder: Path, hashes: Mapping[str, str]) -> None:
    """Whether the other files are those that were written with the configuration."""
    for name in (_VOCABULARY, _WEIGHTS):
        path = folder / name
        if name in hashes and path.is_file() and _file_hash(path) != hashes[name]:
            raise UsageError(
                f"the file was altered or damaged: its content is not what {CONFIG} says",
                where=path,
                remedy="take the whole folder again from where it came from, or train and save the model again",
            )


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "blake2b").hexdigest()
    return f"blake2b:{digest}"


def _check_vocabulary(vocabulary: Vocabulary, settings: FeatureSettings, path: Path) -> None:
    """Whether everything that the settings name has ids or a width."""
    for what, named, known in (
        ("values of", settings.categories, vocabulary.categories),
        ("width of the vectors", settings.vectors, vocabulary.vector_widths),
        ("tokenizer", settings.tokenizers.values(), vocabulary.tokenizers),
    ):
        if missing := sorted(set(named) - set(known)):
            raise UsageError(f"it has no {what} {missing[0]!r}", where=path, remedy=_REMEDY)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UsageError("no model here (the file is missing)", where=path, remedy="check the path") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot be read: {error}", where=path, remedy=_REMEDY) from error


def _read_json(path: Path) -> Mapping[str, object]:
    try:
        values = json.loads(_read(path))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not JSON: {error}", where=path, remedy=_REMEDY) from error
    if not isinstance(values, dict):
        raise UsageError("not a model's configuration", where=path, remedy=_REMEDY)
    return values
