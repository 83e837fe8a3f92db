"""Ray, as this family uses it: a connection, an actor on the driver's machine, and a stream of answered blocks."""

import asyncio
import collections
import logging
import math
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

import pyarrow as pa
import ray
import ray.data
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from genre.errors import UsageError
from genre_executors.ray_assignment import Assignment
from genre_executors.ray_owner import Owner
from genre_executors.ray_worker import Worker

if TYPE_CHECKING:
    from ray.actor import ActorHandle

OWN_CLUSTER = "local"
END_SECONDS = 10.0
"""How long the end of a round waits for Ray Data to end."""


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
        ray.init(address, **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise UsageError(f"there is no Ray cluster at {address!r}: {error}", remedy=remedy) from error


def _check_cpus(needed: float) -> None:
    """Ray would wait for them, and say nothing."""
    there = ray.cluster_resources().get("CPU", 0.0)
    if there < needed:
        raise UsageError(
            f"the cluster has {there:g} logical CPUs, and the workers take {needed:g}",
            where="executor ray",
            remedy="lower `workers` or `cpus`, or add machines",
        )


def owner_here(store: str, limit: float, spent: float) -> "ActorHandle":
    """The owner of the store, as a process on this machine; it takes no CPU from the workers."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    actor = ray.remote(Owner).options(num_cpus=0, max_restarts=0, scheduling_strategy=here)
    return actor.remote(store, limit, spent)


@asynccontextmanager
async def answered_blocks(
    blocks: Sequence[pa.Table], owner: "ActorHandle", assignment: Assignment, cpus: float
) -> AsyncIterator[AsyncIterator[pa.Table]]:
    """The blocks on their way through the workers, as they are answered; no worker is left when the block ends.

    Args:
        blocks: prompts as rows `number` and `prompt`.
        cpus: logical CPUs of one worker.
    """
    context = ray.data.DataContext.get_current().copy()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # it tells of each execution, and repeats its errors
    with ray.data.DataContext.current(context):
        dataset = ray.data.from_arrow_refs([ray.put(block) for block in blocks]).map_batches(
            Worker,
            fn_constructor_args=(owner, assignment),
            batch_size=None,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(size=min(assignment.workers, len(blocks))),
            num_cpus=cpus,
        )
    answered = _tables(dataset)
    loop = asyncio.get_running_loop()
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="genre-ray")

    async def tables() -> AsyncIterator[pa.Table]:
        while (table := await loop.run_in_executor(thread, next, answered, None)) is not None:
            yield table

    try:
        yield tables()
    finally:
        # To the end, which is near when the owner has said stop: what Ray Data leaves behind when it is closed half-way
        # asks for Ray when there is none any more, and that ends the process.
        await asyncio.wait({loop.run_in_executor(thread, _exhaust, answered)}, timeout=END_SECONDS)
        thread.shutdown(wait=False)


def _tables(dataset: ray.data.Dataset) -> Iterator[pa.Table]:
    """Without `iter_batches`, each of which leaves a thread behind for good."""
    for bundle in dataset.iter_internal_ref_bundles():
        yield from ray.get(bundle.block_refs)


def _exhaust(tables: Iterator[pa.Table]) -> None:
    with suppress(Exception):  # told by whoever awaited the table
        collections.deque(tables, maxlen=0)
