"""What batches cost: litellm's list of prices."""

from typing import Any

from genre.parts import Price
from genre_generators.litellm_library import import_litellm


def listed_batch_price(model: str) -> Price | None:
    """What the list says of tokens in batches; where it says nothing, half of their usual price.

    Both providers take half. None for a model that is not listed.
    """
    listed: dict[str, Any] | None = import_litellm().model_cost.get(model)
    if listed is None:
        return None
    prices = [_dollars(listed, f"{side}_cost_per_token") for side in ("input", "output")]
    asked, answered = prices
    return None if asked is None or answered is None else Price(asked, answered)


def _dollars(listed: dict[str, Any], name: str) -> float | None:
    """For a million tokens."""
    in_batches, usual = listed.get(f"{name}_batches"), listed.get(name)
    if in_batches is not None:
        return float(in_batches) * 1e6
    return None if usual is None else float(usual) * 1e6 / 2
