"""Adam, row by row where gradients are sparse."""

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

    def step(self, loss: torch.Tensor) -> None:
        """One step down the gradient of `loss`."""
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        clip_grad_norm_(self.dense, self.clip_norm)
        for optimizer in self.optimizers:
            optimizer.step()
