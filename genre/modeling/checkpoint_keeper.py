"""When a checkpoint of a training is written, and how a training goes on from one."""

import time
from collections.abc import Callable, Mapping

from torch import Tensor

from genre.errors import UsageError
from genre.modeling.devices import device_of, random_state, set_random_state
from genre.modeling.optimizer import RowwiseAdam
from genre.modeling.processes import Processes
from genre.modeling.recommender import Recommender
from genre.modeling.settings import CheckpointSettings
from genre.modeling.training_checkpoint import TrainingCheckpoint, check_identity, read_checkpoint, write_checkpoint
from genre.modeling.training_state import TrainingState


class CheckpointKeeper:
    """Keeps one training in one file. Only the process of rank 0 reads and writes it."""

    def __init__(
        self,
        settings: CheckpointSettings,
        identity: Mapping[str, object],
        processes: Processes,
        recommender: Recommender,
        optimizer: RowwiseAdam,
    ) -> None:
        self._settings = settings
        self._identity = identity
        self._processes = processes
        self._recommender = recommender
        self._optimizer = optimizer
        self._random: tuple[Tensor, ...] = ()
        self._kept_at = time.monotonic()

    def begin(self, on_message: Callable[[str], None] | None) -> TrainingState:
        """Where the training goes on: from the file if that is wanted and there is one, or else from the start.

        Raises:
            UsageError: the file is damaged, or of another training.
        """
        path, tell = self._settings.path, on_message or (lambda _: None)
        found = self._processes.from_first(self._find)
        self._kept_at = time.monotonic()
        if found is None:
            if self._settings.resume:
                tell(f"{path}: no checkpoint is there; the training starts from the start")
            return TrainingState()
        try:
            self._recommender.load_state_dict(found.model)
            self._optimizer.load_state(found.optimizer)
        except (KeyError, RuntimeError, ValueError) as error:
            raise UsageError(
                f"the checkpoint is damaged: {error}", where=path, remedy="delete it and train from the start"
            ) from error
        self._random = found.random
        tell(f"{path}: goes on in epoch {found.state.epoch}, after {found.state.step} of its batches")
        if self._random and len(self._random) != self._processes.size:
            tell(
                f"the checkpoint is of {len(self._random)} processes, and these are {self._processes.size}: dropout is "
                "drawn anew until the epoch ends"
            )
        return found.state

    def restore_random(self, state: TrainingState) -> None:
        """Draw on as the training that the checkpoint is of; to be called where torch's generator was seeded."""
        if state.step and len(self._random) == self._processes.size:
            set_random_state(self._random[self._processes.rank], device_of(self._recommender))
        self._random = ()

    def due(self) -> bool:
        """Whether it is time for the next checkpoint, by the clock of rank 0."""
        return self._processes.rank == 0 and time.monotonic() - self._kept_at >= self._settings.minutes * 60

    def keep(self, state: TrainingState, *, within_epoch: bool) -> None:
        """Write a checkpoint. Within an epoch all processes have to call this, and otherwise rank 0.

        Raises:
            RunError: it cannot be written.
        """
        state_of_random = random_state(device_of(self._recommender))
        random = self._processes.gathered(state_of_random) if within_epoch else ()
        if self._processes.rank == 0:
            model, optimizer = self._recommender.state_dict(), self._optimizer.state()
            write_checkpoint(self._settings.path, TrainingCheckpoint(self._identity, state, model, optimizer, random))
        self._kept_at = time.monotonic()

    def _find(self) -> TrainingCheckpoint | None:
        if not self._settings.resume or not self._settings.path.exists():
            return None
        found = read_checkpoint(self._settings.path)
        check_identity(found.identity, self._identity, self._settings.path)
        return found
