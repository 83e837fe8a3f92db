"""Suites of field encoders and news encoders."""

from pathlib import Path
from typing import Final

import attrs
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from genre.parts import FieldBatch, FieldKind, FieldSpec
from genre.testing.check import Check, checks_of, require, shown
from genre.testing.modules import DIM, ROWS, Inputs, ModuleLaws, module_of
from genre.testing.subject import Subject
from genre.testing.tensors import generator, ragged_mask, wider, without_first_rows

_SIZE: Final = 12
_LENGTH: Final = 6
_KINDS: Final[tuple[FieldKind, ...]] = ("text", "category", "entities", "vector")


def field_encoder_checks(subject: Subject) -> list[Check]:
    """The suite of a field encoder, with two fields of each kind that it reads."""
    case = _FieldCase(subject)
    return [*checks_of(_FieldLaws(case)), *checks_of(ModuleLaws(case))]


def news_encoder_checks(subject: Subject) -> list[Check]:
    """The suite of a news encoder, over three fields."""
    return checks_of(ModuleLaws(_NewsCase(subject)))


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
        random = generator(seed)
        tensors: dict[str, Tensor] = {}
        for field in self.fields():
            if field.kind == "vector":
                values = torch.randn(ROWS, field.size, generator=random)
                mask = torch.ones(ROWS, 1, dtype=torch.bool)
            else:
                values = torch.randint(1, field.size, (ROWS, field.length), generator=random, dtype=torch.int32)
                mask = ragged_mask(ROWS, field.length, random)
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
            if field.kind in ("text", "entities"):
                places = (f"{field.name} values", f"{field.name} mask")
                values, mask = (inputs[place] for place in places)
                tensors.update(zip(places, wider(values, mask, torch.tensor(field.size - 1)), strict=True))
        return tensors

    def emptied(self, inputs: Inputs) -> Inputs:
        return {name: without_first_rows(value) if name.endswith("mask") else value for name, value in inputs.items()}

    def _token_count(self) -> int:
        registry, name = self.subject.registry, self.subject.name
        ask = getattr(registry.target("field-encoder", name), "tokenizer", None)
        path = "words" if ask is None else ask(registry.structure_options("field-encoder", name, self.subject.options))
        return _SIZE if path == "words" else int(Tokenizer.from_str(Path(path).read_text("utf-8")).get_vocab_size())


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

    def a_field_changes_its_own_news_alone(self) -> None:
        """Every field is read, and read for the news that has it."""
        torch.manual_seed(0)
        module, inputs = self.case.build().eval(), self.case.inputs(0)
        with torch.no_grad():
            before = self.case.call(module, inputs)
            for field in self.case.fields():
                values = inputs[f"{field.name} values"].clone()
                values[0] = inputs[f"{field.name} values"][0].flip(-1) + (values[0] == values[0].flip(-1)).to(
                    values.dtype
                )
                if field.kind != "vector":
                    values[0] = values[0] % (field.size - 1) + 1
                after = self.case.call(module, {**inputs, f"{field.name} values": values})
                law = "what a field says changes the vectors of the news that has it, and of no other"
                remedy = "read every field that is given, row by row"
                require(not torch.equal(before[0], after[0]), law, found=f"{field.name!r} is not read", remedy=remedy)
                same = torch.allclose(before[1:], after[1:], atol=1e-5)
                require(same, law, found=f"{field.name!r} of one news changes another", remedy=remedy)


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

    def padded(self, inputs: Inputs) -> Inputs:
        return inputs  # the number of fields is fixed, and a missing one is zero by contract

    def emptied(self, inputs: Inputs) -> Inputs:
        mask = without_first_rows(inputs["mask"])
        return {"field_vectors": inputs["field_vectors"] * mask.unsqueeze(-1), "mask": mask}
