"""The results of a batch that has ended: answers are handed out as they come, and what is no answer is returned."""

import asyncio
from contextlib import aclosing
from typing import Final

from genre.parts import Completion, GenerationError, RateLimited, Refused, Transient
from genre_generators.batch import Batch
from genre_generators.batch_http import NotFound
from genre_generators.batch_patience import Patience
from genre_generators.batch_service import BatchService, Status

_FETCHES: Final = 20
"""Tries to fetch the results of one batch."""


async def fetch_results(
    service: BatchService, status: Status, batch: Batch, patience: Patience
) -> dict[str, GenerationError]:
    """Read the results, from the beginning when the connection is lost; answers that came are not lost.

    Returns:
        What became of prompts that got no answer; those of which nothing is said are left out.

    Raises:
        Transient: the results cannot be fetched now.
    """
    errors: dict[str, GenerationError] = {}
    for tries, wait in enumerate(patience.waits(), 1):
        try:
            await _read(service, status, batch, errors)
        except NotFound:
            break  # the provider has deleted them
        except (RateLimited, Transient, Refused) as failure:
            if tries == _FETCHES:
                said = f"the results of the batch {status.batch} cannot be fetched: {failure}"
                raise Transient(said, may_be_billed=True) from failure
        else:
            break
        await asyncio.sleep(wait)
    return errors


async def _read(service: BatchService, status: Status, batch: Batch, errors: dict[str, GenerationError]) -> None:
    remaining = batch.open_keys - errors.keys()
    asked = frozenset(batch.record.keys if batch.record else ())
    lines = 0
    async with aclosing(service.results(status)) as results:
        async for key, outcome in results:
            lines += 1
            batch.named = batch.named or key in asked
            if key in remaining:
                remaining.discard(key)
                if isinstance(outcome, Completion):
                    batch.answered(key, outcome)
                else:
                    errors[key] = outcome
            if not remaining or lines > batch.most_lines:
                return
