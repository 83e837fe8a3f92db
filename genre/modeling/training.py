"""The training loop: Adam, early stopping that keeps the best state, on a CPU the same result for the same seed."""

import math
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import attrs
import torch
from torch import Tensor

from genre.errors import RunError
from genre.modeling.batches import Batch, GroupSampler
from genre.modeling.checkpoint_keeper import CheckpointKeeper
from genre.modeling.compiling import compiled
from genre.modeling.devices import chosen_device, device_of, on_device
from genre.modeling.evaluation import summarize
from genre.modeling.features import Features
from genre.modeling.interrupts import Interrupts, noted_interrupts
from genre.modeling.losses import LOSSES
from genre.modeling.optimizer import RowwiseAdam
from genre.modeling.processes import ALONE, Processes
from genre.modeling.profiling import Profile
from genre.modeling.recommender import Recommender
from genre.modeling.settings import EVALUATION_DEFAULTS, CheckpointSettings, EvaluationSettings, TrainingSettings
from genre.modeling.shares import Share
from genre.modeling.training_checkpoint import identity_of
from genre.modeling.training_state import EpochReport, TrainingState

_RANK_SEEDS: Final = 1 << 48
"""How far the seeds of two processes are apart."""


@attrs.frozen
class StepReport:
    """One batch done: `step` of `steps` in this epoch (both from 1), and its loss."""

    epoch: int
    step: int
    steps: int
    loss: float


@attrs.frozen
class TrainingResult:
    """What a training came to; the recommender holds the state of `best_epoch`.

    Attributes:
        epochs: every epoch trained.
        best_epoch: from 1.
        groups: clicks trained on in an epoch.
        dropped: clicks without any negative to go with them.
    """

    epochs: tuple[EpochReport, ...]
    best_epoch: int
    groups: int
    dropped: int


OnStep: TypeAlias = Callable[[StepReport], None]
OnEpoch: TypeAlias = Callable[[EpochReport], None]
OnMessage: TypeAlias = Callable[[str], None]


def train(
    recommender: Recommender,
    features: Features,
    settings: TrainingSettings,
    *,
    seed: int,
    evaluation: EvaluationSettings = EVALUATION_DEFAULTS,
    processes: Processes = ALONE,
    checkpoints: CheckpointSettings | None = None,
    on_step: OnStep | None = None,
    on_epoch: OnEpoch | None = None,
    on_message: OnMessage | None = None,
    asked_to_end: Callable[[], bool] | None = None,
    profile: Profile | None = None,
) -> TrainingResult:
    """Train in place. Afterwards the recommender is in evaluation mode, in its best state, on the settings' device.

    Args:
        seed: of order, negatives and dropout. The global random state stays as it is.
        processes: what trains together; each calls this function with the same arguments.
        checkpoints: keep the training in a file while it goes on. The file stays when the training has ended.
        on_step, on_epoch, on_message: told of progress; an exception of theirs ends the training.
        asked_to_end: asked after each batch whether to end there, as by Ctrl-C.
        profile: told where the time goes.

    Raises:
        UsageError: a split does not exist or has nothing to train on, the checkpoint is of another training, or there
            is no such device.
        RunError: the loss is no number any more, or a checkpoint cannot be written.
        KeyboardInterrupt: with `checkpoints`, after the batch in which it came, and with a checkpoint of it.
    """
    sampler = GroupSampler(features, settings, seed, portions=recommender.news_tower.portions)
    if settings.stop_split is not None:
        features.split(settings.stop_split)  # a missing split is told of before the first epoch, not after it
    device = chosen_device(settings.device)
    recommender.to(device)
    optimizer = RowwiseAdam(recommender, settings)
    keeper = None
    if checkpoints is not None:
        identity = identity_of(recommender, features, settings, seed)
        keeper = CheckpointKeeper(checkpoints, identity, processes, recommender, optimizer)
    with (
        noted_interrupts(wanted=keeper is not None, also=asked_to_end) as interrupts,
        processes.joined(recommender),
        compiled(recommender, wanted=settings.compile) as logits,
    ):
        state = TrainingState() if keeper is None else keeper.begin(on_message)
        course = _Course(
            recommender,
            features,
            settings,
            evaluation,
            sampler,
            optimizer,
            processes,
            keeper,
            interrupts,
            state,
            profile or Profile(),
            logits,
        )
        while not state.ended(settings):
            with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
                # Seeded by epoch, so that a run that goes on from here draws the same dropout.
                torch.manual_seed(seed * 1_000_003 + state.epoch + processes.rank * _RANK_SEEDS)
                if keeper is not None:
                    keeper.restore_random(state)
                loss = course.train_epoch(on_step)
            report = course.end_epoch(loss)
            if on_epoch is not None:
                on_epoch(report)
    recommender.load_state_dict(state.best)
    recommender.eval()
    return TrainingResult(state.reports, state.best_epoch, len(sampler.positives), sampler.dropped)


@attrs.frozen(eq=False)
class _Course:
    """A training on its way.

    Attributes:
        logits: the recommender, or what is compiled of it.
    """

    recommender: Recommender
    features: Features
    settings: TrainingSettings
    evaluation: EvaluationSettings
    sampler: GroupSampler
    optimizer: RowwiseAdam
    processes: Processes
    keeper: CheckpointKeeper | None
    interrupts: Interrupts
    state: TrainingState
    profile: Profile
    logits: Callable[[Batch], Tensor]

    @property
    def device(self) -> torch.device:
        """Where the recommender is."""
        return device_of(self.recommender)

    def train_epoch(self, on_step: OnStep | None) -> float:
        """Mean loss of the epoch's batches, of which some may be done already."""
        state, phase = self.state, self.profile.phase
        weights = self.optimizer.weights
        self.recommender.train()
        batches = self.processes.batches(self.sampler, self.recommender.baseline.loss, state.epoch, first=state.step)
        for parts in self.profile.each("batches", on_device(batches, self.device)):
            loss = self._gradient(parts)
            asked = float(self.interrupts.requested), float(self.keeper is not None and self.keeper.due())
            with phase("gradients of all processes"):
                value, stopped, due = self.processes.total(weights, (loss, *asked))
            if not math.isfinite(value):
                raise RunError(
                    f"the loss is {value} in epoch {state.epoch}, batch {state.step + 1}",
                    remedy="lower the learning rate",
                )
            with phase("update"):
                self.optimizer.update()
            self.profile.step()
            state.step += 1
            state.loss += value
            if on_step is not None:
                on_step(StepReport(state.epoch, state.step, self.sampler.batches, value))
            if self.keeper is not None and (stopped or due):
                with phase("checkpoint"):
                    self.keeper.keep(state, within_epoch=True)
            if stopped:
                raise KeyboardInterrupt
        return state.loss / self.sampler.batches

    def _gradient(self, parts: Sequence[Share]) -> float:
        """Give the weights the gradient of these parts of a batch, and return what they add to its loss."""
        loss_of, half = LOSSES[self.recommender.baseline.loss], self.settings.precision == "bf16"
        value = 0.0
        self.optimizer.forget()
        for part in parts:
            with self.profile.phase("forward"):
                with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
                    logits = self.logits(part.batch)
                loss = _loss(loss_of, logits.float(), part)
            with self.profile.phase("backward"):
                self.optimizer.backward(loss)
            value += loss.item()
        return value

    def end_epoch(self, loss: float) -> EpochReport:
        """Evaluate, and keep the state if it is the best."""
        self.profile.pause()
        try:
            self._end_together()
            with self.interrupts.at_once(), self.profile.phase("evaluation"):
                metrics = self._stopping_metrics()
        except KeyboardInterrupt:
            if self.keeper is not None:
                self.keeper.keep(self.state, within_epoch=False)
            raise
        figure = metrics.get(self.settings.stop_metric, float(self.state.epoch))  # without a split, the latest is best
        report = self.state.end_epoch(loss, metrics, figure, self.recommender.state_dict())
        if self.keeper is not None:
            with self.profile.phase("checkpoint"):
                self.keeper.keep(self.state, within_epoch=False)
        return report

    def _end_together(self) -> None:
        """Evaluating takes all processes, so all end before it when one was asked to."""
        [stopped] = self.processes.total((), (float(self.interrupts.requested),))
        if stopped:
            raise KeyboardInterrupt

    def _stopping_metrics(self) -> dict[str, float]:
        split = self.settings.stop_split
        if split is None:
            return {}
        evaluated = self.processes.evaluate(self.recommender, self.features, split, self.evaluation)
        row = summarize(evaluated.impressions)[0]
        metrics = {name: value for name, value in row.items() if isinstance(value, float)}
        if self.settings.stop_metric not in metrics:
            raise RunError(
                f"no impression of the split {split!r} can be evaluated: each needs a click and a non-click",
                remedy="set stop_split to a labelled split, or to none",
            )
        return metrics


def _loss(loss_of: Callable[[Tensor, Tensor, Tensor], Tensor], logits: Tensor, part: Share) -> Tensor:
    """What a part of a batch adds to the loss of the whole."""
    if not part.factor:
        return logits.sum() * 0.0  # of nothing there is no mean
    loss = loss_of(logits, part.batch.labels, part.batch.mask)
    return loss if part.factor == 1.0 else loss * part.factor
