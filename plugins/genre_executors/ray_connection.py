"""The connection to Ray: a running cluster, or one of this program's own."""

import logging
import math
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from genre.errors import UsageError

if TYPE_CHECKING:
    from ray.actor import ActorHandle

OWN_CLUSTER = "local"
CONNECT_SECONDS = 10.0
"""How long a cluster's machine may take to answer; Ray would go on trying for minutes."""


@contextmanager
def connected(address: str | None, cpus: float) -> Iterator[None]:
    """Ray is there while the block runs: the one that this program uses already, a running cluster, or one of its own.

    Args:
        address: of a running cluster; default: that in the environment's `RAY_ADDRESS`, and without it one of its own.
        cpus: logical CPUs that the workers take.

    Raises:
        UsageError: there is no such cluster, or it has fewer CPUs.
    """
    if ray.is_initialized():
        _check_cpus(cpus)
        yield
        return
    _start(address or os.environ.get("RAY_ADDRESS") or OWN_CLUSTER, cpus)
    try:
        _check_cpus(cpus)
        yield
    finally:
        ray.shutdown()


def actor_here(cls: type, *arguments: object) -> "ActorHandle":
    """An actor as a process on this machine, which is not begun again; it takes no CPU from the workers."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return ray.remote(cls).options(num_cpus=0, max_restarts=0, scheduling_strategy=here).remote(*arguments)


def _start(address: str, cpus: float) -> None:
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray would tell its makers of the cluster
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # it warns of how Ray Data makes its workers, each time
    # Ray prints what happens to workers to standard output, where others may read JSON; it is in its logs, too.
    ray._private.worker._worker_logs_enabled = False
    if address == OWN_CLUSTER:
        # Workers wait for servers: more of them than the machine has CPUs are no mistake.
        ray.init(address, num_cpus=max(os.cpu_count() or 1, math.ceil(cpus)), include_dashboard=False, **quiet)
        return
    remedy = "start it with `ray start`, run genre on one of its machines, and export RAY_AUTH_MODE=token for its token"
    if address.startswith("ray://"):
        raise UsageError(f"{address!r} is an address for Ray Client, which is not supported", remedy=remedy)
    try:
        _knock(address)
        ray.init(address, **quiet)
    except (OSError, OverflowError, RuntimeError, ValueError) as error:
        raise UsageError(f"there is no Ray cluster at {address!r}: {error}", remedy=remedy) from error


def _knock(address: str) -> None:
    """Whether anybody listens at `HOST:PORT`; another address is left to Ray."""
    host, _, port = address.rpartition(":")
    if host and port.isdecimal():
        here = host in ("localhost", "127.0.0.1")  # Ray takes this machine's own address then
        socket.create_connection(
            (ray.util.get_node_ip_address() if here else host.strip("[]"), int(port)), timeout=CONNECT_SECONDS
        ).close()


def _check_cpus(needed: float) -> None:
    """Ray would wait for them, and say nothing."""
    there = ray.cluster_resources().get("CPU", 0.0)
    if there < needed:
        raise UsageError(
            f"the cluster has {there:g} logical CPUs, and the workers take {needed:g}",
            where="executor ray",
            remedy="lower `workers`, `cpus` or --jobs, or add machines",
        )
