"""Options that every provider's batch API has."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from genre.options import Secret
from genre.parts import Json, Price

MOST_REQUESTS: Final = 50_000
_IN_FLIGHT: Final = 20_000


@attrs.frozen(kw_only=True)
class BatchOptions:
    """What the generators `openai-batch` and `anthropic-batch` share.

    Attributes:
        model: the provider's name of the model.
        api_key: `{ env = "VARIABLE" }`.
        batch_size: prompts in a batch, at most.
        collect_seconds: a batch that is not full is sent when no further prompt came for so long.
        poll_seconds: how long after it was sent a batch is looked at first; later looks come less often.
        longest_poll_seconds: the longest time between two looks.
        longest_hours: the provider is asked to stop a batch that takes longer, and its prompts are sent again.
        timeout: seconds for one call, the upload of a batch and the download of its results included.
        journal: folder where batches under way are written down, so that none is paid twice.
        omit: fields of the request that the model does not take, such as `temperature`; part of an answer's key.
        price: what tokens cost in a batch, `{ prompt = 0.075, completion = 0.30 }` in US dollars for a million;
            default: litellm's list, but not for another server.
    """

    model: str = attrs.field(validator=attrs.validators.min_len(1))
    api_key: Secret | None = None
    batch_size: int = attrs.field(
        default=10_000, validator=[attrs.validators.ge(1), attrs.validators.le(MOST_REQUESTS)]
    )
    collect_seconds: float = attrs.field(default=15.0, validator=attrs.validators.gt(0))
    poll_seconds: float = attrs.field(default=15.0, validator=attrs.validators.gt(0))
    longest_poll_seconds: float = attrs.field(default=300.0, validator=attrs.validators.gt(0))
    longest_hours: float = attrs.field(default=26.0, validator=attrs.validators.gt(0))
    timeout: float = attrs.field(default=600.0, validator=attrs.validators.gt(0))
    journal: Path = Path(".genre") / "batches"
    omit: tuple[str, ...] = ()
    price: Price | None = None


def secret_of(options: BatchOptions, address: str, *, own: str, usual: str) -> Secret | None:
    """Where the key is read from; None for a server that is sent none.

    Args:
        own: the provider's own address, which alone is sent the key of the variable `usual`.

    Raises:
        UsageError: the variable of the option `api_key` is not set, which is told before anything is rendered.
    """
    if options.api_key is None:
        return Secret(usual) if address == own else None
    options.api_key.reveal()
    return options.api_key


def batch_limits(options: BatchOptions) -> Mapping[str, object]:
    """Limits that make sense for batches: a batch takes its time, and many prompts are in flight."""
    return {
        "concurrency": max(_IN_FLIGHT, options.batch_size),
        "slow_down_at": math.inf,  # one batch may take a hundred times as long as another
        "patience": options.longest_hours * 3_600,  # the queue is full as long as other batches run
    }


def identity_parameters(options: BatchOptions, further: Mapping[str, Json]) -> dict[str, Json]:
    """`further` as parameters of an identity, and what is left out of requests where that is said."""
    return {**further, "omit": [*sorted(options.omit)]} if options.omit else dict(further)
