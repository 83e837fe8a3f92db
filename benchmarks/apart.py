"""Work that is measured in a process of its own, so that its time and memory are its own."""

import multiprocessing
import re
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, ParamSpec, TypeVar

import attrs

P = ParamSpec("P")
T = TypeVar("T")


@attrs.frozen
class Measured(Generic[T]):
    """What a call took.

    Attributes:
        result: what it returned.
        peak_mib: the most memory of the process, imports included.
    """

    result: T
    seconds: float
    peak_mib: float


def apart(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Measured[T]:
    """Call a function of a module in a new process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (function, *args), kwargs)


def _measured(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Measured[T]:
    start = time.perf_counter()
    result = function(*args, **kwargs)
    seconds = time.perf_counter() - start
    return Measured(result, round(seconds, 3), round(_peak_mib(), 1))


def _peak_mib() -> float:
    status = Path("/proc/self/status")
    # Linux carries `ru_maxrss` over from the process that started this one.
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii")) if status.exists() else None
    return (int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024
