"""Laws of every module: what field, news and user encoders, interactions and whole recommenders have in common."""

import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol, TypeAlias, cast

import attrs
import safetensors.torch
import torch
from torch import Tensor, nn

from genre.testing.check import ConformanceError, require, shown
from genre.testing.subject import Subject, require_misspelling_is_told
from genre.testing.tensors import dense, random_state

Inputs: TypeAlias = Mapping[str, Tensor]
"""What a module is called with, by name; the first axis of each tensor counts rows."""

ROWS: Final = 6
DIM: Final = 16
_TRIES: Final = 8
_STEPS: Final = 3
_NOTICED: Final = 1e-6
"""Of an output's size: what differs by less may be rounding."""


class Case(Protocol):
    """How a kind of module is built and called."""

    @property
    def subject(self) -> Subject:
        """The part under test."""

    def build(self, **options: object) -> nn.Module:
        """A new module, with these options over the subject's own."""

    def inputs(self, seed: int) -> Inputs:
        """Inputs of the shapes that the contract declares, with rows of different lengths."""

    def call(self, module: nn.Module, inputs: Inputs) -> Tensor:
        """What the module returns, zero where its contract calls it arbitrary."""

    def shape(self, inputs: Inputs) -> tuple[int, ...]:
        """The shape that it must return."""

    def emptied(self, inputs: Inputs) -> Inputs:
        """The same inputs with nothing but padding in the first two rows."""


class PaddedCase(Case, Protocol):
    """A kind of module whose inputs have padding."""

    def padded(self, inputs: Inputs) -> Inputs:
        """The same inputs with more padding, and something else in all of it."""


@attrs.frozen(eq=False)
class PaddingLaws:
    """What holds for a module whose inputs have padding."""

    case: PaddedCase

    @torch.no_grad()
    def padding_changes_nothing(self) -> None:
        module, inputs = seeded(self.case, 0).eval(), self.case.inputs(0)
        require_close(
            self.case.call(module, self.case.padded(inputs)),
            self.case.call(module, inputs),
            "neither more padding nor what stands in it changes anything",
            "mask attention, means and convolutions, and read no state behind the last real place",
        )


@attrs.frozen(eq=False)
class ModuleLaws:
    """What holds for a module of any kind."""

    case: Case

    def it_returns_the_declared_shape(self) -> None:
        inputs = self.case.inputs(0)
        got, expected = tuple(self._evaluated(inputs).shape), self.case.shape(inputs)
        require(
            got == expected,
            f"a {self.case.subject.kind} returns the shape that its contract declares",
            found=f"{got} where {expected} is expected",
            remedy="look at the shapes in `genre.parts.modeling`",
        )

    def rows_do_not_see_each_other(self) -> None:
        inputs = self.case.inputs(0)
        together = self._evaluated(inputs)
        backwards = torch.arange(ROWS).flip(0)
        require_close(
            self._evaluated(_rows(inputs, backwards)).flip(0),
            together,
            "in evaluation mode the order of the rows changes no row",
            "keep batch and sequence axes apart (`batch_first`), and let no statistic run over the batch",
        )
        for row in range(ROWS):
            alone = self._evaluated(_rows(inputs, torch.tensor([row])))
            require_close(
                alone[0],
                together[row],
                f"in evaluation mode row {row} is the same alone as among others",
                "keep batch and sequence axes apart (`batch_first`), and let no statistic run over the batch",
            )

    def rows_without_anything_are_finite(self) -> None:
        module, inputs = self._seeded(0), self.case.emptied(self.case.inputs(0))
        output = self.case.call(module.eval(), inputs)
        _require_finite(output, "the output of rows without anything")
        if output.requires_grad:
            output.sum().backward()  # type: ignore[no-untyped-call]
        for name, weight in module.named_parameters():
            if weight.grad is not None:
                _require_finite(dense(weight.grad), f"the gradient of {name} from rows without anything")

    def every_weight_that_is_trained_gets_a_gradient(self) -> None:
        module = self._seeded(0).train()
        if not any(weight.requires_grad for weight in module.parameters()):
            return
        waiting = {name: weight for name, weight in module.named_parameters() if weight.requires_grad}
        unreached = set(waiting)
        for seed in range(_TRIES):
            module.zero_grad()
            output = self.case.call(module, self.case.inputs(seed))
            (output * torch.randn(output.shape, generator=torch.Generator().manual_seed(seed))).sum().backward()  # type: ignore[no-untyped-call]
            for name in list(waiting):
                gradient = waiting[name].grad
                if gradient is not None:
                    unreached.discard(name)
                    if bool(dense(gradient).any()):
                        del waiting[name]
        for name in waiting:
            raise ConformanceError(
                "every weight that is trained gets a gradient that is somewhere not zero",
                f"{name} got {'none' if name in unreached else 'zeros only'} in {_TRIES} batches",
                "let it take part in the output, remove it, or set requires_grad to False",
            )

    def the_same_seed_gives_the_same_weights_and_outputs(self) -> None:
        inputs = self.case.inputs(0)
        first, second, other = (self._seeded(seed) for seed in (1, 1, 2))
        weights = [module.state_dict() for module in (first, second, other)]
        differs = [name for name in weights[0] if not torch.equal(weights[0][name], weights[1][name])]
        law = "the same seed gives the same weights, and another seed others"
        draw = "draw weights from torch's random state while the module is made"
        require(not differs, law, found=f"{shown(differs)} differ between two modules of seed 1", remedy=draw)
        random = [name for name, weight in first.named_parameters() if weight.requires_grad and weight.any()]
        moved = any(not torch.equal(weights[0][name], weights[2][name]) for name in random)
        require(
            moved or not random or all(_is_uniform(weights[0][name]) for name in random),
            law,
            found="seeds 1 and 2 give the same",
            remedy=draw,
        )
        outputs = []
        for module in (first, second):
            with random_state(3):
                outputs.append(self.case.call(module.train(), inputs).detach())
        require(
            torch.equal(*outputs),
            "the same random state gives the same outputs in training mode",
            found=f"outputs that differ by up to {_distance(*outputs):g}",
            remedy="draw dropout and the like from torch's random state only",
        )

    def evaluation_draws_nothing(self) -> None:
        inputs, module = self.case.inputs(0), self._seeded(0).eval()
        before = {name: value.clone() for name, value in module.state_dict().items()}
        given = {name: value.clone() for name, value in inputs.items()}
        with torch.no_grad():
            first, second = self.case.call(module, inputs), self.case.call(module, inputs)
        law = "in evaluation mode a call depends on its inputs alone, and changes nothing"
        require(torch.equal(first, second), law, found="two calls that differ", remedy="draw in training mode only")
        changed = [name for name, value in module.state_dict().items() if not torch.equal(value, before[name])]
        require(not changed, law, found=f"{shown(changed)} changed", remedy="update statistics in training mode only")
        touched = [name for name, value in inputs.items() if not torch.equal(value, given[name])]
        require(not touched, law, found=f"the inputs {shown(touched)} changed", remedy="write into new tensors")

    def weights_survive_a_file(self) -> None:
        """After some steps: what only training moves must be in the file as well."""
        inputs, module = self.case.inputs(0), self._trained().eval()
        fresh = self._seeded(1).eval()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "weights.safetensors"
            try:
                state = {name: value.contiguous() for name, value in module.state_dict().items()}
                safetensors.torch.save_file(state, path)
                fresh.load_state_dict(safetensors.torch.load_file(path))
            except (RuntimeError, ValueError, TypeError) as error:
                raise ConformanceError(
                    "weights can be written as safetensors and read again",
                    f"{type(error).__name__}: {shown(str(error))}",
                    "register each weight once: no two names for one tensor, no state outside parameters and buffers",
                ) from error
        with torch.no_grad():
            require_close(
                self.case.call(fresh, inputs),
                self.case.call(module, inputs),
                "a module that read the weights of another one, which was trained, gives its outputs",
                "keep what decides the output in parameters and buffers, and register buffers as persistent",
            )

    def it_moves_between_precisions(self) -> None:
        module, inputs = self._seeded(0).eval(), self.case.inputs(0)
        with torch.no_grad():
            expected = self.case.call(module, inputs)
            for dtype, tolerance in ((torch.float64, 1e-3), (torch.bfloat16, 0.2)):
                output = self.case.call(module.to(dtype), _cast(inputs, dtype))
                law = f"a module that was moved to {dtype} works in it"
                make = "make new tensors with the dtype and device of an input"
                require(output.dtype == dtype, law, found=f"it returns {output.dtype}", remedy=make)
                scale = 1.0 + float(expected.abs().max())
                distance = _distance(output.float(), expected) / scale
                require(distance <= tolerance, law, found=f"outputs that are {distance:g} away", remedy=make)

    def it_moves_between_devices(self) -> None:
        """Without an accelerator on `meta`, which computes shapes only, but mixes with no other device either."""
        device = torch.device("cuda" if torch.cuda.is_available() else "meta")
        module = self._seeded(0).eval().to(device)
        inputs = {name: value.to(device) for name, value in self.case.inputs(0).items()}
        flat = _Flat(self.case, module, tuple(inputs))
        law = "a module that was moved to another device works there"
        make = "make new tensors on the device of an input, and register constants as buffers"
        try:
            with torch.no_grad():
                try:
                    output = flat(*inputs.values())
                except RuntimeError as error:
                    if "cannot be called on meta tensors" not in str(error):
                        raise
                    # It looks at values to choose a faster way; traced, it takes the one that suits all values.
                    output = _export(flat, inputs)(*inputs.values())
        except (RuntimeError, NotImplementedError) as error:
            raise ConformanceError(law, f"{type(error).__name__}: {shown(str(error))}", make) from error
        require(output.device.type == device.type, law, found=f"its output is on {output.device}", remedy=make)

    def it_can_be_exported(self) -> None:
        module, inputs = self._seeded(0).eval(), self.case.inputs(0)
        flat = _Flat(self.case, module, tuple(inputs))
        try:
            exported = _export(flat, inputs)
        except Exception as error:  # whatever torch.export raises, it is the module's code that it could not follow
            raise ConformanceError(
                "torch.export can follow the module",
                f"{type(error).__name__}: {shown(str(error))}",
                "let no branch and no shape depend on a tensor's values",
            ) from error
        with torch.no_grad():
            require_close(
                exported(*inputs.values()), flat(*inputs.values()), "the exported module gives the same", "report it"
            )

    def a_misspelt_option_is_told(self) -> None:
        require_misspelling_is_told(self.case.subject.option_names, lambda wrong: self.case.build(**wrong))

    def _seeded(self, seed: int) -> nn.Module:
        return seeded(self.case, seed)

    def _trained(self) -> nn.Module:
        module = self._seeded(0).train()
        weights = [weight for weight in module.parameters() if weight.requires_grad]
        optimizer = torch.optim.SGD(weights, lr=1e-3) if weights else None
        for seed in range(_STEPS):
            module.zero_grad()
            output = self.case.call(module, self.case.inputs(seed))
            if optimizer is not None and output.requires_grad:
                output.square().mean().backward()  # type: ignore[no-untyped-call]
                optimizer.step()
        return module

    @torch.no_grad()
    def _evaluated(self, inputs: Inputs) -> Tensor:
        return self.case.call(self._seeded(0).eval(), inputs)


class _Flat(nn.Module):
    def __init__(self, case: Case, module: nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.case = case
        self.module = module
        self.names = names

    def forward(self, *values: Tensor) -> Tensor:
        return self.case.call(self.module, dict(zip(self.names, values, strict=True)))


@torch.no_grad()
def _export(module: nn.Module, inputs: Inputs) -> nn.Module:
    with warnings.catch_warnings():
        # torch warns of its own GRU; what matters is whether the outputs are equal, and that is looked at.
        warnings.simplefilter("ignore", UserWarning)
        return torch.export.export(module, tuple(inputs.values()), strict=False).module()


def require_close(got: Tensor, expected: Tensor, law: str, remedy: str) -> None:
    """Nothing, if two outputs are equal but for rounding.

    Raises:
        ConformanceError: they are not.
    """
    require(got.shape == expected.shape, law, found=f"shapes {got.shape} and {expected.shape}", remedy=remedy)
    distance = _distance(got, expected)
    tolerance = 1e-4 * (1.0 + float(expected.abs().max())) if expected.numel() else 0.0
    require(distance <= tolerance, law, found=f"outputs that differ by up to {distance:g}", remedy=remedy)


def require_differ(got: Tensor, other: Tensor, law: str, *, found: str, remedy: str) -> None:
    """Nothing, if two outputs differ by more than rounding.

    Raises:
        ConformanceError: they do not.
    """
    require(_distance(got, other) > _NOTICED * (1.0 + float(other.abs().max())), law, found=found, remedy=remedy)


def _distance(got: Tensor, expected: Tensor) -> float:
    """Largest difference; infinite where one is no number."""
    if not got.numel():
        return 0.0
    return float(torch.nan_to_num((got - expected).abs(), nan=float("inf")).max())


def _require_finite(values: Tensor, what: str) -> None:
    require(
        bool(torch.isfinite(values).all()),
        "a row without anything gives finite outputs and gradients",
        found=f"{what} is not finite",
        remedy="let a masked softmax or mean of nothing be zero (`genre.modeling.blocks`)",
    )


def _rows(inputs: Inputs, rows: Tensor) -> Inputs:
    return {name: value[rows] for name, value in inputs.items()}


def _cast(inputs: Inputs, dtype: torch.dtype) -> Inputs:
    return {name: value.to(dtype) if value.is_floating_point() else value for name, value in inputs.items()}


def _is_uniform(weight: Tensor) -> bool:
    """Whether it is a constant start, such as the ones of a normalisation."""
    return bool((weight == weight.flatten()[0]).all())


def seeded(case: Case, seed: int) -> nn.Module:
    """The module whose weights are drawn with this seed."""
    with random_state(seed):
        return case.build()


def module_of(made: object) -> nn.Module:
    """What a target returned.

    Raises:
        ConformanceError: it is no module.
    """
    require(
        isinstance(made, nn.Module),
        "a part of a model is a torch.nn.Module",
        found=shown(made),
        remedy="derive it from nn.Module",
    )
    return cast(nn.Module, made)
