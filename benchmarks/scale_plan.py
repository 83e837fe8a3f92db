"""The plan of docs/how-to/scale.md: calls, dollars, hours, bytes of a round over 100 million news, by assumptions.

python -m benchmarks.scale_plan
"""

import json
from importlib import metadata
from typing import Final

NEWS: Final = 100_000_000
PROMPT_TOKENS: Final = 250
"""833 bytes of messages (measured: news-summarizer, title of 66 and abstract of 205 characters), 4 bytes a token, and
the answer's schema."""
ANSWER_TOKENS: Final = 30
SECONDS_A_CALL: Final = 1.5

MODELS: Final = ("gpt-4o-mini", "gpt-4.1-nano", "claude-haiku-4-5")
LIMITS: Final = ((500, 200_000), (10_000, 10_000_000), (30_000, 150_000_000))
"""Requests and tokens a minute of a small, a middling and a large account."""
GPU: Final = {"prompt tokens a second": 30_000, "answer tokens a second": 3_000, "dollars an hour": 2.50}
"""One rented GPU with a model of 8 billion weights behind vLLM, busy. Measure yours."""

STORE_BYTES: Final = 434
RECORD_BYTES: Final = 35
"""A row of the answer store, and of the records' Parquet; both measured with answers of 80 bytes."""
TABLE_BYTES: Final = 312
ASSEMBLY_BYTES: Final = 986
"""A news in the data set's tables, and while they are put together; measured."""
REPORT_BYTES: Final = 2 * 93
"""A subject and a key that were seen, as the report of a round counts them; measured."""
PROMPT_BYTES: Final = 1_678 + 1_268
"""A prompt on its way: as an object, and as a row for the cluster; measured."""
OWNER_ROWS: Final = 5_700
"""Answers that the owner writes in a second; measured on two busy cores."""
POOL_SECONDS: Final = 7.5
"""Until the workers of a portion have started; measured on two busy cores."""


def main() -> None:
    """Print the plan."""
    tokens = NEWS * PROMPT_TOKENS, NEWS * ANSWER_TOKENS
    print(f"calls {NEWS:,}; tokens {tokens[0] / 1e9:.1f} + {tokens[1] / 1e9:.1f} billion")
    print("\ndollars" + " " * 15 + "at once   by batches")
    for model in MODELS:
        print(f"{model:20} {_dollars(model, ''):9,.0f} {_dollars(model, '_batches'):12,.0f}")
    seconds = PROMPT_TOKENS / GPU["prompt tokens a second"] + ANSWER_TOKENS / GPU["answer tokens a second"]
    hours = NEWS * seconds / 3600
    print(f"a GPU of one's own   {hours * GPU['dollars an hour']:9,.0f}   ({hours:,.0f} GPU hours)")
    print("\nhours             by requests   by tokens   calls a second   in flight   owner's load")
    for requests, most in LIMITS:
        by_requests, by_tokens = NEWS / requests / 60, sum(tokens) / most / 60
        rate = NEWS / max(by_requests, by_tokens) / 3600
        print(
            f"{requests:6,} a minute {by_requests:13,.0f} {by_tokens:11,.0f} {rate:16,.0f} "
            f"{rate * SECONDS_A_CALL:11,.0f} {rate / OWNER_ROWS:14.1%}"
        )
    print(
        f"{8:6} GPUs     {hours / 8:13,.0f} {'':11} {8 / seconds:16,.0f} {8 / seconds * SECONDS_A_CALL:11,.0f}"
        f" {8 / seconds / OWNER_ROWS:14.1%}"
    )
    print("\ngigabytes")
    for what, size in {
        "on disk: answer store": STORE_BYTES,
        "on disk: records": RECORD_BYTES,
        "in memory: the data set's tables": TABLE_BYTES,
        "in memory: putting them together": ASSEMBLY_BYTES,
        "in memory: the round's report": REPORT_BYTES,
    }.items():
        print(f"{what:34} {NEWS * size / 1e9:8.1f}")
    print("\nportion     memory, GB   starts of the pool   hours of starting")
    for portion in (50_000, 500_000):
        starts = NEWS // portion
        print(f"{portion:7,} {portion * PROMPT_BYTES / 1e9:14.2f} {starts:20,} {starts * POOL_SECONDS / 3600:19.1f}")


def _dollars(model: str, way: str) -> float:
    prompt, answer = (_prices()[model][f"{side}_cost_per_token{way}"] for side in ("input", "output"))
    return NEWS * (PROMPT_TOKENS * prompt + ANSWER_TOKENS * answer)


def _prices() -> dict[str, dict[str, float]]:
    """litellm's table, without importing litellm."""
    files = metadata.files("litellm") or []
    [table] = [file for file in files if file.name == "model_prices_and_context_window_backup.json"]
    prices: dict[str, dict[str, float]] = json.loads(table.locate().read_text(encoding="utf-8"))
    return prices


if __name__ == "__main__":
    main()
