"""The worker processes of generators, as tests look at them from outside."""

import os
import select
from contextlib import suppress
from pathlib import Path


def workers_of(parent: int) -> list[int]:
    """The worker processes that a process has."""
    workers = []
    for thread in Path(f"/proc/{parent}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # threads and processes end while they are looked at
            for pid in (thread / "children").read_text().split():
                if b"genre_generators.worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    workers.append(int(pid))
    return sorted(workers)


def ends(pid: int, within: float = 60) -> bool:
    """Whether the process is gone, or goes within so many seconds."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], within)[0])
    finally:
        os.close(descriptor)
