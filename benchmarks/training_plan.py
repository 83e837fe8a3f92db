"""The plan of training in docs/how-to/scale.md: gigabytes, steps and hours of two sites, from named assumptions.

python -m benchmarks.training_plan
"""

from typing import Final

import attrs

DATASET_NEWS: Final = 400
DATASET_CLICK: Final = 5.4
DATASET_CANDIDATE: Final = 6.1
SAMPLER_CANDIDATE: Final = 21.2
TOKENS_NEWS: Final = 195
"""Bytes of a news, of a click in a history and of a candidate in the data set's tables; of a candidate while it is
trained on; of a news's token ids, which are mapped from disk. Measured by `benchmarks.training_scale`."""
CHECKPOINT_WEIGHT: Final = 16
"""Bytes of a weight in memory and in a checkpoint: itself, two moments, and the best state so far; measured."""
CHECKPOINT_RATE: Final = 270e6
"""Bytes a second; measured on a busy machine's disk."""
GROUPS_A_SECOND: Final = 2.7 * 64
"""Of one process on one core; NRMS with default settings, measured."""
DENSE_BYTES: Final = 66_816 * 4
ROW_BYTES: Final = 2_076_000 - DENSE_BYTES
"""What a process with 32 groups of a batch hands on in a step: dense gradients, and rows of tables; measured."""

WIDTH: Final = 64
CANDIDATES: Final = 37
CLICKS: Final = 1.5
HISTORY: Final = 32
"""Candidates and clicks of an impression, and clicks of a user's history, about as in MIND: assumptions."""
GROUPS_A_PROCESS: Final = 32
NETWORK: Final = 1.25e9
"""Bytes a second that a process receives: 10 Gbit/s each, an assumption."""


@attrs.frozen
class Site:
    """Sizes."""

    name: str
    news: float
    users: float
    words: float
    impressions: float

    @property
    def groups(self) -> float:
        """Clicks to train on."""
        return self.impressions * CLICKS


SITES: Final = (
    Site("MIND-large", news=160e3, users=1e6, words=100e3, impressions=2.2e6),
    Site("large site", news=100e6, users=100e6, words=500e3, impressions=1e9 / CLICKS),
)


def main() -> None:
    """Print the plan."""
    print(f"{'':38}" + "".join(f"{site.name:>14}" for site in SITES))
    counts = {
        "news": [site.news for site in SITES],
        "users": [site.users for site in SITES],
        "impressions": [site.impressions for site in SITES],
        "clicks to train on": [site.groups for site in SITES],
    }
    for what, numbers in counts.items():
        print(f"{what:38}" + "".join(f"{number:14,.0f}" for number in numbers))
    print("\ngigabytes in memory, of each process")
    memory = {
        "data set: news": [site.news * DATASET_NEWS for site in SITES],
        "data set: histories": [site.users * HISTORY * DATASET_CLICK for site in SITES],
        "data set: candidates": [site.impressions * CANDIDATES * DATASET_CANDIDATE for site in SITES],
        "sampler: candidates": [site.impressions * CANDIDATES * SAMPLER_CANDIDATE for site in SITES],
        "weights and moments: words": [site.words * WIDTH * CHECKPOINT_WEIGHT for site in SITES],
        "weights and moments: users (lstur)": [site.users * WIDTH * CHECKPOINT_WEIGHT for site in SITES],
        "evaluation: vectors of all news": [site.news * WIDTH * 4 for site in SITES],
    }
    for what, sizes in memory.items():
        print(f"{what:38}" + "".join(f"{size / 1e9:14,.2f}" for size in sizes))
    print(f"{'on disk, mapped: token ids':38}" + "".join(f"{site.news * TOKENS_NEWS / 1e9:14,.2f}" for site in SITES))
    print("\na checkpoint")
    for what, weights in (("nrms", [site.words for site in SITES]), ("lstur", [site.users for site in SITES])):
        sizes = [number * WIDTH * CHECKPOINT_WEIGHT for number in weights]
        print(f"{f'{what}: gigabytes':38}" + "".join(f"{size / 1e9:14,.2f}" for size in sizes))
        print(f"{f'{what}: seconds':38}" + "".join(f"{size / CHECKPOINT_RATE:14,.1f}" for size in sizes))
    print(f"\nnrms, one epoch, {GROUPS_A_PROCESS} groups a process in each batch")
    print(" " * 43 + "".join(f"{site.name:>23}" for site in SITES))
    print(f"{'processes   batch   ms a step   of it sums':43}" + "".join(f"{'steps':>14}{'hours':>9}" for _ in SITES))
    for processes in (1, 2, 16, 64, 256):
        compute, sums = GROUPS_A_PROCESS / GROUPS_A_SECOND, _sums(processes)
        batch = processes * GROUPS_A_PROCESS
        line = f"{processes:9}{batch:8,}{(compute + sums) * 1e3:12.0f}{sums / (compute + sums):13.0%} "
        for site in SITES:
            steps = site.groups / batch
            line += f"{steps:14,.0f}{steps * (compute + sums) / 3600:9,.1f}"
        print(line)


def _sums(processes: int) -> float:
    """Seconds until every process has the sum of all gradients: dense ones in a ring, and everybody's rows."""
    others = processes - 1
    return (2 * DENSE_BYTES * others / processes + ROW_BYTES * others) / NETWORK


if __name__ == "__main__":
    main()
