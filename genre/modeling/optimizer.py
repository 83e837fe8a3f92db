"""Adam, row by row where gradients are sparse."""

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_

from genre.modeling.settings import TrainingSettings
from genre.parts import Pretrained


class RowwiseAdam:
    """Adam for dense weights; for `nn.Embedding(sparse=True)` its lazy form, which touches only a batch's rows.

    A dense step over a table of words costs more than all the rest of a small model. Weight decay and clipping are of
    the dense weights alone.
    """

    def __init__(self, model: nn.Module, settings: TrainingSettings) -> None:
        modules = list(model.modules())
        tables = [module.weight for module in modules if isinstance(module, nn.Embedding) and module.sparse]
        pretrained = [
            weight for module in modules if isinstance(module, Pretrained) for weight in module.pretrained_parameters()
        ]
        set_apart = {id(weight) for weight in (*tables, *pretrained)}
        fresh = [weight for weight in model.parameters() if id(weight) not in set_apart]
        groups = [(fresh, settings.learning_rate), (pretrained, settings.pretrained_learning_rate)]
        trained = [([weight for weight in weights if weight.requires_grad], rate) for weights, rate in groups]
        self.dense = [weight for weights, _ in trained for weight in weights]
        self.clip_norm = settings.clip_norm
        self.optimizers: list[torch.optim.Optimizer] = []
        if self.dense:
            self.optimizers.append(
                torch.optim.Adam(
                    [{"params": weights, "lr": rate} for weights, rate in trained if weights],
                    weight_decay=settings.weight_decay,
                    fused=True,
                )
            )
        if tables := [table for table in tables if table.requires_grad]:
            self.optimizers.append(torch.optim.SparseAdam(tables, lr=settings.learning_rate))

    @property
    def weights(self) -> list[nn.Parameter]:
        """All weights that a step may change, in an order that depends on the model alone."""
        return [weight for optimizer in self.optimizers for weight in _weights(optimizer)]

    def step(self, loss: torch.Tensor) -> None:
        """One step down the gradient of `loss`."""
        self.forget()
        self.backward(loss)
        self.update()

    def forget(self) -> None:
        """Let the weights have no gradient."""
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)

    def backward(self, loss: torch.Tensor) -> None:
        """Add the gradient of `loss` to what the weights have in `grad`."""
        loss.backward()  # type: ignore[no-untyped-call]

    def update(self) -> None:
        """One step down the gradient that the weights have."""
        clip_grad_norm_(self.dense, self.clip_norm)
        for optimizer in self.optimizers:
            optimizer.step()

    def state(self) -> dict[str, torch.Tensor]:
        """What the next step depends on beside weights and gradient: moments and numbers of steps, by name.

        The tensors are the optimizers' own, but whole numbers, which become tensors of int64 without a dimension.
        """
        return {
            f"{number}.{index}.{name}": value if isinstance(value, torch.Tensor) else torch.tensor(value)
            for number, optimizer in enumerate(self.optimizers)
            for index, values in optimizer.state_dict()["state"].items()
            for name, value in values.items()
        }

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Go on from what `state` gave for the same model and settings.

        Raises:
            KeyError: it is another model's.
        """
        taken: list[dict[int, dict[str, torch.Tensor | int]]] = [{} for _ in self.optimizers]
        for key, value in state.items():
            number, index, name = key.split(".")
            if int(number) >= len(taken) or int(index) >= len(_weights(self.optimizers[int(number)])):
                raise KeyError(key)
            whole = value.dtype == torch.int64 and value.dim() == 0
            taken[int(number)].setdefault(int(index), {})[name] = int(value) if whole else value
        for optimizer, of_weights in zip(self.optimizers, taken, strict=True):
            optimizer.load_state_dict({"state": of_weights, "param_groups": optimizer.state_dict()["param_groups"]})


def _weights(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    return [weight for group in optimizer.param_groups for weight in group["params"]]
