"""Where a model is trained and evaluated: the processor, or a CUDA device and how batches get there."""

import os
from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

import attrs
import torch
from torch import Tensor, nn

from genre.errors import UsageError
from genre.modeling.settings import Device

T = TypeVar("T")


def chosen_device(name: Device) -> torch.device:
    """The device of a setting; of several processes on a machine each has its own card, as torchrun numbers them.

    Raises:
        UsageError: there is none.
    """
    if name == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise UsageError(
            "training.device is 'cuda', and torch finds no CUDA device here",
            remedy="install torch for CUDA where there is a card, or set device = 'cpu'",
        )
    number, count = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if number >= count:
        raise UsageError(
            f"process {number} of this machine has no CUDA device of its own: there are {count}",
            remedy=f"start {count} processes at most, such as with torchrun --nproc-per-node {count}",
        )
    return torch.device("cuda", number)


def device_of(module: nn.Module) -> torch.device:
    """Where a module's weights are; the processor where it has none."""
    return next((weight.device for weight in module.parameters()), torch.device("cpu"))


def moved(value: T, device: torch.device) -> T:
    """A batch, or whatever else is made of records, mappings, tuples and tensors, with its tensors on a device.

    Memory is pinned on the way to a card, so that nobody here waits for the copy.
    """
    return cast(T, _moved(value, device))


def _moved(value: object, device: torch.device) -> object:
    if isinstance(value, Tensor):
        if value.device == device:
            return value
        return (value.pin_memory() if device.type == "cuda" else value).to(device, non_blocking=True)
    if isinstance(value, Mapping):
        return {name: _moved(inner, device) for name, inner in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(_moved(inner, device) for inner in value)
    if attrs.has(type(value)):
        record: Any = value
        fields = {field.name: _moved(getattr(record, field.name), device) for field in attrs.fields(type(record))}
        return attrs.evolve(record, **fields)
    return value


def on_device(batches: Iterable[T], device: torch.device) -> Generator[T, None, None]:
    """Batches with their tensors on a device. For a card, a thread makes the next one meanwhile.

    On a processor there is no such thread: making a batch takes a twentieth of a step, and takes it from the step.
    """
    if device.type == "cpu":
        yield from batches
        return
    waiting = iter(batches)

    def following() -> T | None:
        batch = next(waiting, None)
        return None if batch is None else moved(batch, device)

    with ThreadPoolExecutor(1, thread_name_prefix="genre-batches") as thread:
        coming = thread.submit(following)
        while (batch := coming.result()) is not None:
            coming = thread.submit(following)
            yield batch


def random_state(device: torch.device) -> Tensor:
    """State of torch's generators that dropout on a device draws from, as bytes on the processor (N,)."""
    state = torch.get_rng_state()
    return state if device.type == "cpu" else torch.cat([state, torch.cuda.get_rng_state(device)])


def set_random_state(state: Tensor, device: torch.device) -> None:
    """Draw on from a state that `random_state` gave for a device of this type."""
    length = len(torch.get_rng_state())
    torch.set_rng_state(state[:length])
    if device.type != "cpu":
        torch.cuda.set_rng_state(state[length:], device)
