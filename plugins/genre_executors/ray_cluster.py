"""What this family asks of Ray Data: a stream of answered blocks."""

import asyncio
import collections
import logging
import warnings
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pyarrow as pa
import ray
import ray.data

from genre_executors.ray_assignment import Assignment
from genre_executors.ray_worker import Worker

if TYPE_CHECKING:
    from ray.actor import ActorHandle

END_SECONDS = 10.0
"""How long the end of a round waits for Ray Data to end."""
BLOCK_RETRIES = 3
"""How often a block that loses its worker is tried again; by default without end, even where a prompt is what kills."""


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
    with ray.data.DataContext.current(context), warnings.catch_warnings():
        # Ray will take this option by another name, and warns of that; the tests tell when it does.
        warnings.filterwarnings("ignore", message=".*ray_remote_args.*")
        dataset = ray.data.from_arrow_refs([ray.put(block) for block in blocks]).map_batches(
            Worker,
            fn_constructor_args=(owner, assignment),
            batch_size=None,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(size=min(assignment.workers, len(blocks))),
            num_cpus=cpus,
            max_task_retries=BLOCK_RETRIES,
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
