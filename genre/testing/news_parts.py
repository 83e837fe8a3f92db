"""Suites of field encoders and news encoders."""

from itertools import combinations
from pathlib import Path
from typing import Final

import attrs
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from genre.parts import WORDS, FieldBatch, FieldKind, FieldSpec
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
from genre.testing.tensors import generator, ragged_mask, seeded_checks_of, wider, without_first_rows

_SIZE: Final = 12
_LENGTH: Final = 6
_SLACK: Final = 4.0
"""Fields that mix freely change each other's vectors as much as their own, give or take."""
_KINDS: Final[tuple[FieldKind, ...]] = ("text", "category", "entities", "vector")


def field_encoder_checks(subject: Subject) -> list[Check]:
    """The suite of a field encoder, with two fields of each kind that it reads."""
    case = _FieldCase(subject)
    return seeded_checks_of(_FieldLaws(case), PaddingLaws(case), ModuleLaws(case))


def news_encoder_checks(subject: Subject) -> list[Check]:
    """The suite of a news encoder, over three fields."""
    case = _NewsCase(subject)
    return seeded_checks_of(_NewsLaws(case), ModuleLaws(case))


@attrs.frozen(eq=False)
class _FieldCase:
    subject: Subject

    def kinds(self) -> tuple[FieldKind, ...]:
        target = self.subject.registry.target("field-encoder", self.subject.name)
        return tuple(getattr(target, "kinds", ()))

    def fields(self) -> tuple[FieldSpec, ...]:
        made = []
        for kind in self.kinds():
            for name in (f"first_{kind}", f"second_{kind}"):
                size = self._token_count() if kind == "text" else _SIZE
                made.append(FieldSpec(name, kind, size, _LENGTH if kind in ("text", "entities") else 1))
        return tuple(made)

    def build(self, **options: object) -> nn.Module:
        return module_of(self.subject.make(options, fields=self.fields(), dim=DIM))

    def inputs(self, seed: int) -> Inputs:
        """The first news has every field; the last lacks the first of those that are no sequences."""
        random = generator(seed)
        tensors: dict[str, Tensor] = {}
        for field in self.fields():
            if field.kind == "vector":
                values = torch.randn(ROWS, field.size, generator=random)
                mask = torch.ones(ROWS, 1, dtype=torch.bool)
            else:
                values = torch.randint(1, field.size, (ROWS, field.length), generator=random, dtype=torch.int32)
                mask = ragged_mask(ROWS, field.length, random)
            if field.length == 1 and field.name.startswith("first"):
                mask[-1] = False
            values = values * mask
            tensors[f"{field.name} values"], tensors[f"{field.name} mask"] = values, mask
        return tensors

    def call(self, module: nn.Module, inputs: Inputs) -> Tensor:
        fields = self.fields()
        news = {each.name: FieldBatch(inputs[f"{each.name} values"], inputs[f"{each.name} mask"]) for each in fields}
        vectors: Tensor = module(news)
        present = torch.stack([news[field.name].mask.any(-1) for field in fields], dim=1)
        return vectors.masked_fill(~present.unsqueeze(-1), 0.0)

    def shape(self, inputs: Inputs) -> tuple[int, ...]:  # noqa: ARG002  the same for all inputs
        return (ROWS, len(self.fields()), DIM)

    def padded(self, inputs: Inputs) -> Inputs:
        tensors = dict(inputs)
        for field in self.fields():
            places = (f"{field.name} values", f"{field.name} mask")
            values, mask = (inputs[place] for place in places)
            filler = torch.tensor(field.size - 1)
            filled = wider(values, mask, filler) if field.length > 1 else (torch.where(mask, values, filler), mask)
            tensors.update(zip(places, filled, strict=True))
        return tensors

    def changed(self, inputs: Inputs, field: FieldSpec) -> Inputs:
        """The same inputs, where the first news says something else throughout one field."""
        name = f"{field.name} values"
        values = inputs[name].clone()
        values[0] = 1.0 - 2.0 * values[0] if field.kind == "vector" else values[0] % (field.size - 1) + 1
        return {**inputs, name: values}

    def without(self, inputs: Inputs, field: FieldSpec) -> Inputs:
        """The same inputs, where the first news lacks one field."""
        name = f"{field.name} mask"
        mask = inputs[name].clone()
        mask[0] = False
        return {**inputs, name: mask}

    def emptied(self, inputs: Inputs) -> Inputs:
        return {name: without_first_rows(value) if name.endswith("mask") else value for name, value in inputs.items()}

    def _token_count(self) -> int:
        registry, name = self.subject.registry, self.subject.name
        ask = getattr(registry.target("field-encoder", name), "tokenizer", None)
        path = WORDS if ask is None else ask(registry.structure_options("field-encoder", name, self.subject.options))
        return _SIZE if path == WORDS else int(Tokenizer.from_str(Path(path).read_text("utf-8")).get_vocab_size())


@attrs.frozen(eq=False)
class _FieldLaws:
    case: _FieldCase

    def it_says_which_kinds_of_fields_it_reads(self) -> None:
        kinds = self.case.kinds()
        require(
            bool(kinds) and set(kinds) <= set(_KINDS),
            "a field encoder's class attribute `kinds` names the kinds of fields that it reads",
            found=shown(kinds),
            remedy=f"set it to some of {_KINDS}",
        )

    @torch.no_grad()
    def a_field_changes_its_own_news_alone(self) -> None:
        """Every field is read, for the news that has it, and into the place that is its own."""
        module, inputs = seeded(self.case, 0).eval(), self.case.inputs(0)
        before = self.case.call(module, inputs)
        law = "what a field says changes its own vector of the news that has it, and no vector of another news"
        for place, field in enumerate(self.case.fields()):
            after = self.case.call(module, self.case.changed(inputs, field))
            require_differ(
                after[0, place],
                before[0, place],
                law,
                found=f"{field.name!r} is not read, or its vector is not at place {place}",
                remedy="read every field that is given, and return the vectors in the order of `fields`",
            )
            require_close(after[1:], before[1:], law, "read the news row by row")

    @torch.no_grad()
    def vectors_stand_in_the_order_of_the_fields(self) -> None:
        """Fields may see each other, so that each changes many vectors. But two do not change each other's the most."""
        module, inputs = seeded(self.case, 0).eval(), self.case.inputs(0)
        before, fields = self.case.call(module, inputs)[0], self.case.fields()
        changes = [
            (self.case.call(module, self.case.changed(inputs, field))[0] - before).norm(dim=-1) for field in fields
        ]
        for one, other in combinations(range(len(fields)), 2):
            # Products, because fields differ in how strong they are, and vectors in how large.
            own = float(changes[one][one] * changes[other][other])
            crossed = float(changes[one][other] * changes[other][one])
            require(
                crossed <= _SLACK * own,
                "vectors stand in the order of the fields",
                found=f"{fields[one].name!r} changes the vector at place {other} more than the one at place {one}, "
                f"and {fields[other].name!r} the other way round",
                remedy="return the vectors in the order of `fields`",
            )

    @torch.no_grad()
    def a_field_that_a_news_lacks_changes_no_other_news(self) -> None:
        module, inputs = seeded(self.case, 0).eval(), self.case.inputs(0)
        before = self.case.call(module, inputs)
        for field in self.case.fields():
            require_close(
                self.case.call(module, self.case.without(inputs, field))[1:],
                before[1:],
                f"whether a news has {field.name!r} changes no vector of another news",
                "keep every news in its row, whether it has the field or not",
            )


@attrs.frozen(eq=False)
class _NewsCase:
    subject: Subject
    fields: int = 3

    def build(self, **options: object) -> nn.Module:
        return module_of(self.subject.make(options, fields=self.fields, dim=DIM))

    def inputs(self, seed: int) -> Inputs:
        random = generator(seed)
        mask = torch.rand(ROWS, self.fields, generator=random) < 0.7
        mask[0] = True
        values = torch.randn(ROWS, self.fields, DIM, generator=random) * mask.unsqueeze(-1)
        return {"field_vectors": values, "mask": mask}

    def call(self, module: nn.Module, inputs: Inputs) -> Tensor:
        vector: Tensor = module(inputs["field_vectors"], inputs["mask"])
        return vector

    def shape(self, inputs: Inputs) -> tuple[int, ...]:  # noqa: ARG002  the same for all inputs
        return (ROWS, DIM)

    def emptied(self, inputs: Inputs) -> Inputs:
        mask = without_first_rows(inputs["mask"])
        return {"field_vectors": inputs["field_vectors"] * mask.unsqueeze(-1), "mask": mask}


@attrs.frozen(eq=False)
class _NewsLaws:
    case: _NewsCase

    @torch.no_grad()
    def every_field_that_a_news_has_counts(self) -> None:
        module, inputs = seeded(self.case, 0).eval(), self.case.inputs(0)
        before, mask = self.case.call(module, inputs), inputs["mask"]
        for field in range(self.case.fields):
            vectors = inputs["field_vectors"].clone()
            vectors[:, field] = (1.0 - 2.0 * vectors[:, field]) * mask[:, field, None]
            after = self.case.call(module, {**inputs, "field_vectors": vectors})
            for row in mask[:, field].nonzero().flatten().tolist():
                require_differ(
                    after[row],
                    before[row],
                    "every field that a news has changes its vector",
                    found=f"field {field} of a news with the fields {mask[row].nonzero().flatten().tolist()} does not",
                    remedy="read every field that is not masked",
                )
