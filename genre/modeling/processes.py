"""What trains a model together: one process, or several that share each batch (`genre.modeling.distributed`)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final, Protocol

from torch import Tensor, nn

from genre.modeling.batches import GroupSampler
from genre.modeling.evaluation import Evaluation, evaluate
from genre.modeling.features import Features
from genre.modeling.recommender import Recommender
from genre.modeling.settings import EvaluationSettings
from genre.modeling.shares import Share, shares
from genre.modeling.training_checkpoint import TrainingCheckpoint


class Processes(Protocol):
    """The processes that train one model. All of them call the same methods in the same order.

    Attributes:
        rank: number of this one; 0 alone writes files and tells of progress.
        size: how many there are.
    """

    rank: int
    size: int

    def first_in_turn(self) -> AbstractContextManager[None]:
        """The block is run by rank 0 first, and then by the others: for what is prepared once a machine."""

    def joined(self, recommender: Recommender, /) -> AbstractContextManager[None]:
        """Within the block the recommender has the weights of rank 0, and statistics of a batch are those of all."""

    def batches(self, sampler: GroupSampler, loss: str, epoch: int, /, *, first: int) -> Iterator[Sequence[Share]]:
        """This process's parts of each batch of an epoch, from the batch `first` (from 0) on: `settings.accumulate`.

        Args:
            loss: its name in `genre.modeling.losses.LOSSES`.
        """

    def total(self, weights: Sequence[nn.Parameter], figures: Sequence[float], /) -> list[float]:
        """Sums over the processes: of the weights' gradients, which `grad` then is, and of some figures."""

    def gathered(self, values: Tensor) -> tuple[Tensor, ...]:
        """Everybody's `values`, which are of one shape and type, by rank."""

    def from_first(self, make: Callable[[], TrainingCheckpoint | None]) -> TrainingCheckpoint | None:
        """What rank 0 makes.

        Raises:
            GenreError: it could not, on any process.
        """

    def evaluate(
        self, recommender: Recommender, features: Features, split: str, settings: EvaluationSettings
    ) -> Evaluation:
        """As `genre.modeling.evaluation.evaluate`."""


class OneProcess:
    """This process alone."""

    rank = 0
    size = 1

    def first_in_turn(self) -> AbstractContextManager[None]:
        """There are no others."""
        return nullcontext()

    def joined(self, _: Recommender, /) -> AbstractContextManager[None]:
        """Nothing is to be done."""
        return nullcontext()

    def batches(self, sampler: GroupSampler, loss: str, epoch: int, /, *, first: int) -> Iterator[Sequence[Share]]:
        """All parts of each batch."""
        count = sampler.settings.accumulate
        return shares(sampler, loss, epoch, first=first, count=count, chosen=range(count))

    def total(self, _: Sequence[nn.Parameter], figures: Sequence[float], /) -> list[float]:
        """The figures themselves."""
        return list(figures)

    def gathered(self, values: Tensor) -> tuple[Tensor, ...]:
        """The values themselves."""
        return (values,)

    def from_first(self, make: Callable[[], TrainingCheckpoint | None]) -> TrainingCheckpoint | None:
        """What this process makes."""
        return make()

    def evaluate(
        self, recommender: Recommender, features: Features, split: str, settings: EvaluationSettings
    ) -> Evaluation:
        """All impressions."""
        return evaluate(recommender, features, split, settings)


ALONE: Final = OneProcess()
