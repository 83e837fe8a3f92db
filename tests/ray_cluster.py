"""One Ray cluster on this machine for all tests of a session, and the workers that a process has on it."""

import logging
import os
from pathlib import Path

import pytest


def share_cluster() -> None:
    """Start the cluster, if no test did before. Ray ends it with the process. Its workers find the tests' modules."""
    import ray

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if not ray.is_initialized():
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
            ray.init("local", num_cpus=4, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)


def worker_processes(kind: str = "MapWorker") -> list[int]:
    """The processes that answer prompts for this one, or for processes that it started; or those of another kind."""
    mine, name = os.getpid(), f"ray::{kind}".encode()
    return [pid for pid in _processes() if name in _file(pid, "cmdline") and mine in _ancestors(pid)]


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _ancestors(pid: int) -> list[int]:
    found: list[int] = []
    while pid > 1:
        status = dict(line.split(b":\t", 1) for line in _file(pid, "status").splitlines() if b":\t" in line)
        pid = int(status.get(b"PPid", b"0"))
        found.append(pid)
    return found


def _file(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:  # it has ended meanwhile
        return b""
