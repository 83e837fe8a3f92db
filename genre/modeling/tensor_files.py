"""Tensors as a file of safetensors."""

from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
from torch import Tensor


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Write tensors, detached and contiguous.

    Raises:
        OSError: the file cannot be written; safetensors has an error of its own for that.
    """
    dense = {name: value.detach().contiguous() for name, value in tensors.items()}
    try:
        safetensors.torch.save_file(dense, path, metadata=None if metadata is None else dict(metadata))
    except safetensors.SafetensorError as error:
        raise OSError(str(error)) from error
