"""Contracts of the modeling half: what encoders and interactions are given and must return.

Parts are pure `torch.nn.Module`s. In eval mode each is batch-row independent, padding invariant, and finite on empty
histories; `genre.testing` checks all of it. Shapes: B groups or impressions, C candidates, H history, U distinct news
of a batch, F fields, L tokens, D width.

```
FieldEncoder  ids or vectors of some fields                        -> (U, F, D)
NewsEncoder   field vectors (U, F, D)                              -> (U, D)
UserEncoder   history (B, H, D), user (B,), candidates (B, C, D)   -> (B, 1, D), or (B, C, D) when candidate-aware
Interaction   user (B, 1 or C, D), candidates (B, C, D)            -> logits (B, C)
```
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias, runtime_checkable

import attrs

if TYPE_CHECKING:
    from torch import Tensor, nn

WORDS: Final = "words"
"""Name of the word-level tokenizer, which encoders read that name no other."""

FieldKind: TypeAlias = Literal["text", "category", "entities", "vector"]
"""Token ids, one id, ids in no order, or a dense vector."""


@attrs.frozen(eq=False)
class PretrainedEmbedding:
    """Vectors that an embedding of words starts from.

    Attributes:
        width: E, of the vectors.
        rows: (size, E), one row an id, NaN where an id has no vector; None when the weights come from a checkpoint
            and only the width matters.
    """

    width: int
    rows: "Tensor | None" = None


@attrs.frozen
class FieldSpec:
    """A field of the news that a model sees.

    Attributes:
        name: for example `"title"` or `"category"`.
        kind: `"text"` (token ids), `"category"` (one id), `"entities"` (ids) or `"vector"` (a dense vector).
        size: number of tokens, categories or entities (id 0 is padding or missing), or the vector's width.
        length: tokens or entities kept; 1 otherwise.
        pretrained: vectors of the tokens, if the experiment names some.
    """

    name: str
    kind: FieldKind
    size: int
    length: int = 1
    pretrained: PretrainedEmbedding | None = attrs.field(default=None, eq=False, repr=False)


@attrs.frozen(eq=False)
class FieldBatch:
    """One field of U distinct news.

    Attributes:
        values: token ids or entity ids (U, L), category ids (U, 1), or vectors (U, V).
        mask: (U, L), or (U, 1) for categories and vectors; False where there is no token, no category, no vector.
            Padding is at the end; values are arbitrary where masked.
        states: (U, L, E), what `FrozenStates.states` made of the values earlier; None without.
    """

    values: "Tensor"
    mask: "Tensor"
    states: "Tensor | None" = None


NewsBatch: TypeAlias = Mapping[str, FieldBatch]
"""Fields of the U distinct news of a batch, by name."""


class FieldEncoder(Protocol):
    """Called `target(options, fields=tuple[FieldSpec, ...], dim=D)`, once for all fields of a model that name it.

    It may share weights over its fields, such as one table of words, or let them see each other.

    A class attribute `packs_sequences = True` tells that it does no work on padding (`genre.modeling.packing`), so that
    news of all lengths may come together; otherwise a training cuts a batch's news into portions of like length.

    A class attribute `kinds` says which kinds of fields it reads. An encoder of texts reads ids of the word vocabulary,
    unless it has a static method `tokenizer(options) -> str` that returns the path of a `tokenizer.json`.

    An encoder that is made from files of its own has two more methods. The static `content_key(options) -> str` hashes
    them, so that a training is done again when they change. `saved_options(tokenizer) -> Mapping` gives the options
    that a saved model is made from without the files; `tokenizer` is the hash of the tokenizer whose ids it was trained
    on, which the static method `tokenizer` then returns in place of a path.
    """

    kinds: tuple[FieldKind, ...]

    def __call__(self, news: NewsBatch) -> "Tensor":
        """One vector for each of its fields (U, F, D), in their order; arbitrary where a news lacks the field."""


@runtime_checkable
class FrozenStates(Protocol):
    """A field encoder whose first layers are frozen: what they make of a news is computed once and kept on disk."""

    @property
    def states_key(self) -> str | None:
        """Names the frozen weights by their content; None when they are trained after all."""

    def states(self, values: "Tensor", mask: "Tensor") -> "Tensor":
        """(U, L), (U, L) -> (U, L, E); the encoder is given them as `FieldBatch.states`."""


@runtime_checkable
class Pretrained(Protocol):
    """A module that took weights from a pre-trained model; they train with `pretrained_learning_rate`."""

    def pretrained_parameters(self) -> "Iterable[nn.Parameter]":
        """Those weights, frozen ones too."""


class NewsEncoder(Protocol):
    """Called `target(options, fields=F, dim=D)`: fuses the fields of a news into one vector."""

    def __call__(self, field_vectors: "Tensor", mask: "Tensor") -> "Tensor":
        """News vectors (U, D).

        Args:
            field_vectors: (U, F, D), zero where masked.
            mask: (U, F), False where a news lacks the field; a row may be all False.
        """


class UserEncoder(Protocol):
    """Called `target(options, dim=D, users=N)`; user ids are below N, and 0 is a user not seen in training.

    A class attribute `candidate_aware` says whether its vector depends on the candidate.
    """

    candidate_aware: bool

    def __call__(
        self, history: "Tensor", mask: "Tensor", user: "Tensor", candidates: "Tensor", candidate_mask: "Tensor"
    ) -> "Tensor":
        """User vectors.

        Args:
            history: (B, H, D), oldest first, padding at the end; arbitrary where masked.
            mask: (B, H), True where there is a news; a row may be all False.
            user: (B,)
            candidates: (B, C, D); a user encoder that is not candidate-aware must not look at it.
            candidate_mask: (B, C), False for candidates that only fill the row up, which no statistic may count.

        Returns:
            (B, 1, D), or (B, C, D) when candidate-aware.
        """


class Interaction(Protocol):
    """Called `target(options, dim=D, fields=F)`.

    A class attribute `field_aware` asks for the candidates' field vectors.
    """

    field_aware: bool

    def __call__(
        self,
        user: "Tensor",
        candidates: "Tensor",
        candidate_mask: "Tensor",
        candidate_fields: "Tensor | None" = None,
    ) -> "Tensor":
        """Logits (B, C).

        Args:
            user: (B, 1, D) or (B, C, D).
            candidates: (B, C, D).
            candidate_mask: (B, C), as the user encoder's.
            candidate_fields: (B, C, F, D) for a field-aware interaction, zero for a field that is missing; else None.
        """
