"""Suites of user encoders and interactions."""

from typing import Final

import attrs
import torch
from torch import Tensor, nn

from genre.testing.check import Check, require, shown
from genre.testing.modules import (
    DIM,
    ROWS,
    Inputs,
    ModuleLaws,
    PaddingLaws,
    module_of,
    require_close,
    require_differ,
    seeded,
)
from genre.testing.subject import Subject
from genre.testing.tensors import generator, ragged_mask, random_state, seeded_checks_of, wider, without_first_rows

_CLICKS: Final = 5
_CANDIDATES: Final = 4
_USERS: Final = 9
_FIELDS: Final = 3


def user_encoder_checks(subject: Subject) -> list[Check]:
    """The suite of a user encoder."""
    case = _UserCase(subject)
    return seeded_checks_of(_UserLaws(case), PaddingLaws(case), ModuleLaws(case))


def interaction_checks(subject: Subject) -> list[Check]:
    """The suite of an interaction, with one user vector a reader and with one a candidate."""
    case = _InteractionCase(subject)
    return seeded_checks_of(_InteractionLaws(case), PaddingLaws(case), ModuleLaws(case))


@attrs.frozen(eq=False)
class _UserCase:
    subject: Subject

    def build(self, **options: object) -> nn.Module:
        return module_of(self.subject.make(options, dim=DIM, users=_USERS))

    def inputs(self, seed: int) -> Inputs:
        random = generator(seed)
        return {
            "history": torch.randn(ROWS, _CLICKS, DIM, generator=random),
            "mask": ragged_mask(ROWS, _CLICKS, random),
            "user": torch.randint(1, _USERS, (ROWS,), generator=random),
            "candidates": torch.randn(ROWS, _CANDIDATES, DIM, generator=random),
            "candidate_mask": torch.ones(ROWS, _CANDIDATES, dtype=torch.bool),
        }

    def call(self, module: nn.Module, inputs: Inputs) -> Tensor:
        vectors: Tensor = module(*(inputs[name] for name in _ARGUMENTS))
        if vectors.shape[1:2] == inputs["candidate_mask"].shape[1:]:
            return vectors.masked_fill(~inputs["candidate_mask"].unsqueeze(-1), 0.0)
        return vectors

    def shape(self, inputs: Inputs) -> tuple[int, ...]:
        return (ROWS, inputs["candidates"].shape[1] if self.aware else 1, DIM)

    @property
    def aware(self) -> object:
        """What it says of itself: whether its vector depends on the candidate."""
        return getattr(self.subject.registry.target("user-encoder", self.subject.name), "candidate_aware", None)

    def padded(self, inputs: Inputs) -> Inputs:
        history, mask = wider(inputs["history"], inputs["mask"], torch.tensor(7.0))
        return {**inputs, "history": history, "mask": mask}

    def emptied(self, inputs: Inputs) -> Inputs:
        return {**inputs, "mask": without_first_rows(inputs["mask"])}


_ARGUMENTS: Final = ("history", "mask", "user", "candidates", "candidate_mask")


@attrs.frozen(eq=False)
class _UserLaws:
    case: _UserCase

    def it_says_whether_it_looks_at_the_candidates(self) -> None:
        require(
            isinstance(self.case.aware, bool),
            "a user encoder's class attribute `candidate_aware` says whether its vector depends on the candidate",
            found=shown(self.case.aware),
            remedy="set it to True or False",
        )

    @torch.no_grad()
    def other_clicks_change_the_vector(self) -> None:
        """Of a reader with a full history. The candidates and who the reader is stay as they are."""
        module, inputs = seeded(self.case, 0).eval(), self.case.inputs(0)
        require_differ(
            self.case.call(module, {**inputs, "history": 1.0 - 2.0 * inputs["history"]})[0],
            self.case.call(module, inputs)[0],
            "what a reader clicked changes the reader's vector",
            found="the same vector for another history",
            remedy="read the history",
        )

    @torch.no_grad()
    def the_vector_depends_on_the_candidate_as_declared(self) -> None:
        module, inputs = seeded(self.case, 0).eval(), self.case.inputs(0)
        vectors, candidates = self.case.call(module, inputs), inputs["candidates"].clone()
        if not self.case.aware:
            require_close(
                self.case.call(module, {**inputs, "candidates": 1.0 - 2.0 * candidates}),
                vectors,
                "a user encoder that is not candidate-aware does not look at the candidates",
                "set candidate_aware to True, and return a vector for each candidate",
            )
            return
        candidates[:, 0] = 1.0 - 2.0 * candidates[:, 0]
        after = self.case.call(module, {**inputs, "candidates": candidates})
        law = "the vector that a candidate-aware user encoder gives for a candidate depends on it, and on no other"
        require_differ(
            after[0, 0],
            vectors[0, 0],
            law,
            found="the same vector for another candidate",
            remedy="read the candidate, or set candidate_aware to False and return one vector (B, 1, D)",
        )
        require_close(after[:, 1:], vectors[:, 1:], law, "treat candidates as rows of their own")

    @torch.no_grad()
    def candidates_do_not_see_each_other(self) -> None:
        """Each has the vector that it has alone, wherever it stands."""
        module, inputs = seeded(self.case, 0).eval(), self.case.inputs(0)
        vectors = self.case.call(module, inputs)
        law = "the vector for a candidate does not depend on the other candidates, nor on its place"
        remedy = "treat candidates as rows of their own"
        backwards = {name: inputs[name].flip(1) for name in ("candidates", "candidate_mask")}
        require_close(self.case.call(module, {**inputs, **backwards}).flip(1), vectors, law, remedy)
        first = {name: inputs[name][:, :1] for name in ("candidates", "candidate_mask")}
        require_close(self.case.call(module, {**inputs, **first}), vectors[:, :1], law, remedy)

    def training_statistics_leave_padding_out(self) -> None:
        """Of histories and of candidates: running means after a step in training mode are those of real places."""
        inputs = self.case.inputs(0)
        candidates, candidate_mask = wider(inputs["candidates"], inputs["candidate_mask"], torch.tensor(9.0))
        wide = {**self.case.padded(inputs), "candidates": candidates, "candidate_mask": candidate_mask}
        require_same_statistics(self.case, inputs, wide)


@attrs.frozen(eq=False)
class _InteractionCase:
    subject: Subject

    def build(self, **options: object) -> nn.Module:
        return module_of(self.subject.make(options, dim=DIM, fields=_FIELDS))

    def inputs(self, seed: int) -> Inputs:
        random = generator(seed)
        return {
            "user": torch.randn(ROWS, 1, DIM, generator=random),
            "candidates": torch.randn(ROWS, _CANDIDATES, DIM, generator=random),
            "candidate_mask": ragged_mask(ROWS, _CANDIDATES, random),
            "candidate_fields": torch.randn(ROWS, _CANDIDATES, _FIELDS, DIM, generator=random),
        }

    def call(self, module: nn.Module, inputs: Inputs) -> Tensor:
        fields = inputs["candidate_fields"] if module.field_aware else None
        logits: Tensor = module(inputs["user"], inputs["candidates"], inputs["candidate_mask"], fields)
        return logits.masked_fill(~inputs["candidate_mask"], 0.0) if logits.dim() == 2 else logits

    def shape(self, inputs: Inputs) -> tuple[int, ...]:
        return tuple(inputs["candidates"].shape[:2])

    def padded(self, inputs: Inputs) -> Inputs:
        """As wide as before: every candidate has a logit, so more of them would have more logits."""
        width = inputs["candidate_mask"].shape[1]
        widened = self.widened(inputs)
        return {name: value if name == "user" else value[:, :width] for name, value in widened.items()}

    def widened(self, inputs: Inputs) -> Inputs:
        """With further candidates that only fill the rows up."""
        mask = inputs["candidate_mask"]
        fields, _ = wider(inputs["candidate_fields"], mask, torch.tensor(7.0))
        candidates, wide_mask = wider(inputs["candidates"], mask, torch.tensor(7.0))
        return {**inputs, "candidates": candidates, "candidate_mask": wide_mask, "candidate_fields": fields}

    def emptied(self, inputs: Inputs) -> Inputs:
        return {**inputs, "candidate_mask": without_first_rows(inputs["candidate_mask"])}


@attrs.frozen(eq=False)
class _InteractionLaws:
    case: _InteractionCase

    def it_says_whether_it_asks_for_fields(self) -> None:
        target = self.case.subject.registry.target("interaction", self.case.subject.name)
        aware = getattr(target, "field_aware", None)
        require(
            isinstance(aware, bool),
            "an interaction's class attribute `field_aware` says whether it asks for the candidates' field vectors",
            found=shown(aware),
            remedy="set it to True or False",
        )

    @torch.no_grad()
    def padding_changes_no_logit(self) -> None:
        module, inputs = seeded(self.case, 0).eval(), self.case.inputs(0)
        before = self.case.call(module, inputs)
        after = self.case.call(module, self.case.widened(inputs))[:, :_CANDIDATES]
        require_close(after, before, "candidates that only fill a row up change no logit", "score each by itself")

    @torch.no_grad()
    def candidates_do_not_see_each_other(self) -> None:
        module, inputs = seeded(self.case, 0).eval(), self.case.inputs(0)
        logits = self.case.call(module, inputs)
        names = ("candidates", "candidate_mask", "candidate_fields")
        law = "the score of a candidate does not depend on the other candidates, nor on its place"
        remedy = "score each candidate by itself"
        backwards = {**inputs, **{name: inputs[name].flip(1) for name in names}}
        require_close(self.case.call(module, backwards).flip(1), logits, law, remedy)
        first = {**inputs, **{name: inputs[name][:, :1] for name in names}}
        require_close(self.case.call(module, first), logits[:, :1], law, remedy)

    @torch.no_grad()
    def a_user_vector_for_each_candidate_works_as_well(self) -> None:
        module, inputs = seeded(self.case, 0).eval(), self.case.inputs(0)
        expanded = {**inputs, "user": inputs["user"].expand(-1, _CANDIDATES, -1)}
        require_close(
            self.case.call(module, expanded),
            self.case.call(module, inputs),
            "user vectors (B, C, D) that are all alike score as one (B, 1, D)",
            "broadcast the user vector over the candidates",
        )

    @torch.no_grad()
    def user_and_candidate_both_count(self) -> None:
        module, inputs = seeded(self.case, 0).eval(), self.case.inputs(0)
        logits = self.case.call(module, inputs)
        changes = {
            "the user": {"user": inputs["user"] + 1.0},
            "the candidate": {
                "candidates": inputs["candidates"].roll(1, 0) * 2.0,
                "candidate_fields": inputs["candidate_fields"].roll(1, 0) * 2.0,
            },
        }
        for what, change in changes.items():
            require(
                not torch.equal(self.case.call(module, {**inputs, **change}), logits),
                "a score depends on the user and on the candidate",
                found=f"changing {what} changes no score",
                remedy="let the interaction read both",
            )

    def training_statistics_leave_padding_out(self) -> None:
        inputs = self.case.inputs(0)
        require_same_statistics(self.case, inputs, self.case.widened(inputs))


def require_same_statistics(case: "_UserCase | _InteractionCase", inputs: Inputs, padded: Inputs) -> None:
    """The law that a step in training mode leaves the same buffers, however much padding there was.

    Raises:
        ConformanceError: some buffer differs.
    """
    kept = []
    for given in (inputs, padded):
        module = seeded(case, 0).train()
        for part in module.modules():
            if isinstance(part, nn.Dropout):
                part.p = 0.0  # it draws another mask for another shape, which is no fault
        with torch.no_grad(), random_state(0):
            case.call(module, given)
        kept.append(dict(module.named_buffers()))
    for name, value in kept[0].items():
        require_close(
            kept[1][name],
            value,
            f"the statistic {name!r} covers places that are not padding alone",
            "weigh its mean and variance with the masks of history and candidates",
        )
