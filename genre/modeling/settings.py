"""Settings of features, training and evaluation. Light: neither torch nor numpy is imported."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, Literal, TypeAlias

import attrs

from genre.dataset import TextVersion
from genre.parts import FieldKind

Pool: TypeAlias = Literal["impression", "split"]
Precision: TypeAlias = Literal["fp32", "bf16"]
Device: TypeAlias = Literal["cpu", "cuda"]

_at_least_one = attrs.validators.ge(1)
_rate: Final = [attrs.validators.gt(0.0), attrs.validators.lt(math.inf)]


def _positive_lengths(_instance: object, attribute: "attrs.Attribute[Mapping[str, int]]", value: object) -> None:
    assert isinstance(value, Mapping)
    for field, length in value.items():
        if length < 1:
            raise ValueError(f"{attribute.name}.{field} is {length}: a field keeps at least one")


def _not_empty(
    _instance: object,
    attribute: "attrs.Attribute[Mapping[Literal['topics', 'regions'], tuple[str, ...]]]",
    value: object,
) -> None:
    assert isinstance(value, Mapping)
    for kind, names in value.items():
        if not names:
            raise ValueError(f"{attribute.name}.{kind} is empty: leave it out to learn from the readers")


def _none_if_empty(name: str | None) -> str | None:
    """TOML has no null."""
    return name or None


@attrs.frozen(kw_only=True)
class FeatureSettings:
    """What a model sees of the data. The fields' order is texts, categories, entities, vectors.

    Attributes:
        texts: text fields with the number of tokens kept of each; a field that no news has reads as empty.
        categories: categorical fields, `"category"` or `"subcategory"`.
        entities: entity fields, `"title_entities"` or `"abstract_entities"`, with the number kept of each.
        vectors: dense fields that the data set has, such as a cover image's.
        text_version: which version of the texts is read; a field that this round did not write is read as original.
        history_length: latest clicks kept of a history.
        min_count: a word or entity that occurs less often in the news of the train split is left out.
        train_split: the split that words, categories, entities, users and interests are learned from.
        word_vectors: file of pre-trained word vectors (GloVe's text format, plain, zipped or gzipped), or None.
        tokenizers: text fields that are not read as words, with the `tokenizer.json` that makes their ids. Filled in
            from what the baseline's encoders ask for.
        interest_vocabularies: closed lists of `topics` or `regions`; interests outside are left out. A kind without a
            list is open: all that the readers of the train split have.
        interest_min_count: an interest of an open vocabulary that fewer readers have is left out.
    """

    texts: Mapping[str, int] = attrs.field(factory=lambda: {"title": 20, "abstract": 50}, validator=_positive_lengths)
    categories: tuple[Literal["category", "subcategory"], ...] = ("category", "subcategory")
    entities: Mapping[Literal["title_entities", "abstract_entities"], int] = attrs.field(
        factory=dict, validator=_positive_lengths
    )
    vectors: tuple[str, ...] = ()
    text_version: TextVersion = "latest"
    history_length: int = attrs.field(default=30, validator=_at_least_one)
    min_count: int = attrs.field(default=1, validator=_at_least_one)
    train_split: str = "train"
    word_vectors: str | None = attrs.field(default=None, converter=_none_if_empty)
    tokenizers: Mapping[str, str] = attrs.field(factory=dict)
    interest_vocabularies: Mapping[Literal["topics", "regions"], tuple[str, ...]] = attrs.field(
        factory=dict, validator=_not_empty
    )
    interest_min_count: int = attrs.field(default=1, validator=_at_least_one)

    @property
    def field_kinds(self) -> dict[str, FieldKind]:
        """The fields that a model sees, in order, and their kinds."""
        named: tuple[tuple[Iterable[str], FieldKind], ...] = (
            (self.texts, "text"),
            (self.categories, "category"),
            (self.entities, "entities"),
            (self.vectors, "vector"),
        )
        return {name: kind for names, kind in named for name in names}

    def __attrs_post_init__(self) -> None:
        names = [*self.texts, *self.categories, *self.entities, *self.vectors]
        if repeated := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"the field {repeated[0]!r} stands twice")


@attrs.frozen(kw_only=True)
class TrainingSettings:
    """How a recommender is trained.

    Attributes:
        epochs: at most this many passes over the positives.
        batch_size: groups in a batch; a group is one positive with its negatives.
        accumulate: parts that each process computes of a batch, one after another, with one step for all: memory is
            that of a part. The gradient is the batch's, but that Dice, where a model has it, sees a part at a time.
        precision: of products while training: `fp32`, or `bf16`, which gains where the processor multiplies matrices of
            it in hardware (AMX, GPUs) and costs elsewhere. Weights, moments and the loss stay in fp32, and so does
            evaluation.
        device: what computes: `cpu`, or `cuda` for a card. Several processes on a machine have a card each.
        compile: let torch compile the model for what computes it, which may take minutes. Sequences are padded then.
        learning_rate: of Adam. Three times the paper's: small data sets train in a third of the epochs, no worse.
        pretrained_learning_rate: of weights that come from a pre-trained language model, which larger steps ruin.
        weight_decay: L2 penalty of Adam, of all weights but embeddings with sparse gradients.
        negatives: candidates beside the positive (the paper's k).
        pool: where they are drawn from: the same impression, or all candidates that the train split shows.
        patience: epochs without a better figure before training stops.
        train_split: split that is trained on.
        stop_split: split whose figure stops training and picks the best state; None (or `""`) trains all epochs.
        stop_metric: that figure: `auc`, `mrr`, `ndcg@5` or `ndcg@10`.
        clip_norm: largest norm of the gradient of the same weights.
    """

    epochs: int = attrs.field(default=10, validator=_at_least_one)
    batch_size: int = attrs.field(default=64, validator=_at_least_one)
    accumulate: int = attrs.field(default=1, validator=_at_least_one)
    precision: Precision = "fp32"
    device: Device = "cpu"
    compile: bool = False
    learning_rate: float = attrs.field(default=3e-3, validator=_rate)
    pretrained_learning_rate: float = attrs.field(default=3e-5, validator=_rate)
    weight_decay: float = attrs.field(default=0.0, validator=[attrs.validators.ge(0), attrs.validators.lt(math.inf)])
    negatives: int = attrs.field(default=4, validator=_at_least_one)
    pool: Pool = "impression"
    patience: int = attrs.field(default=2, validator=_at_least_one)
    train_split: str = "train"
    stop_split: str | None = attrs.field(default="dev", converter=_none_if_empty)
    stop_metric: Literal["auc", "mrr", "ndcg@5", "ndcg@10"] = "auc"
    clip_norm: float = attrs.field(default=5.0, validator=attrs.validators.gt(0))


@attrs.frozen(kw_only=True)
class CheckpointSettings:
    """Where a training is kept while it goes on.

    Attributes:
        path: the file. It is written every so many minutes, at each epoch's end and at Ctrl-C.
        minutes: how many; 0 writes it after each batch.
        resume: go on from the file, if it is there.
    """

    path: Path
    minutes: float = attrs.field(default=10.0, validator=attrs.validators.ge(0))
    resume: bool = False


@attrs.frozen(kw_only=True)
class EvaluationSettings:
    """How much is held in memory at a time; no figure depends on it.

    Attributes:
        news_per_chunk: news encoded at a time.
        readers_per_chunk: reader states encoded at a time.
        pairs_per_chunk: pairs of a reader and a candidate scored at a time, or, where the user encoder is
            candidate-aware, of a click and a candidate. What fits the processor's cache is quickest.
    """

    news_per_chunk: int = attrs.field(default=1024, validator=_at_least_one)
    readers_per_chunk: int = attrs.field(default=512, validator=_at_least_one)
    pairs_per_chunk: int = attrs.field(default=8192, validator=_at_least_one)


EVALUATION_DEFAULTS: Final = EvaluationSettings()
