"""A recommender as torch's compiler makes it for the processor or card that it runs on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from genre.modeling.batches import Batch
from genre.modeling.recommender import Recommender


@contextmanager
def compiled(recommender: Recommender, *, wanted: bool) -> Iterator[Callable[[Batch], Tensor]]:
    """What gives the logits of a batch: the recommender, or within the block what is compiled of it.

    Batches have many sizes, so shapes are symbols. Tables with sparse gradients, which the compiler cannot follow, are
    looked up outside of what is compiled.
    """
    if not wanted:
        yield recommender
        return
    tables = [module for module in recommender.modules() if isinstance(module, nn.Embedding) and module.sparse]
    for table in tables:  # each object's own, until the block ends
        table.forward = torch.compiler.disable(table.forward)  # type: ignore[method-assign, no-untyped-call]
    try:
        yield torch.compile(recommender, dynamic=True)
    finally:
        for table in tables:
            del table.forward
