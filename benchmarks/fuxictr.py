"""Training rows a second of DIN and DCN on ids alone, beside FuxiCTR's DIN and DCN in the same run.

FuxiCTR needs an environment of its own, outside of this repository:

    python3.11 -m venv FOLDER
    FOLDER/bin/pip install torch==2.13.0 "numpy<2" "polars<1.20" "pyarrow<17" setuptools fuxictr==2.3.10
    export GENRE_FUXICTR_PYTHON=FOLDER/bin/python

Both train on the same rows of MIND-shaped data: groups of a click and four negatives, the news's id, category and
subcategory, and the latest 50 clicks. Embeddings are 64 wide, the DNN is 3 x 1000 without dropout, DIN's attention is
64 with Dice, the loss binary cross-entropy and the optimizer Adam: FuxiCTR's over all rows of its tables, ours over
those of the batch. Batches are made beforehand; `with_batches` counts ours being made as well. Our DIN and DCN read no
user's id, so FuxiCTR's do not either, but in `fuxictr_with_user`.

Where other work shares the processor, set OMP_NUM_THREADS=1, which holds for both: threads that spin until another one
gets a core count as busy.

What differs by design: a click of ours is the mean of its three fields, and FuxiCTR's is its news id; our DNN of DIN
reads two vectors, and FuxiCTR's four.
"""

import itertools
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import attrs
import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.apart import apart
from benchmarks.mind_shaped import write_mind_shaped
from genre.dataset import load_dataset, save_dataset
from genre.experiments.steps import read_dataset
from genre.modeling.batches import Batch, Drawn, GroupSampler
from genre.modeling.composition import build_recommender
from genre.modeling.features import Features, prepare_features
from genre.modeling.losses import LOSSES
from genre.modeling.optimizer import RowwiseAdam
from genre.modeling.recommender import Recommender
from genre.modeling.settings import FeatureSettings, TrainingSettings
from genre.registry import Registry

VARIABLE: Final = "GENRE_FUXICTR_PYTHON"
BASELINES: Final = ("din", "dcn")
FEATURES: Final = FeatureSettings(
    texts={},
    categories=("category", "subcategory"),
    entities={"title_entities": 1},  # the news's id: there is no field of it
    history_length=50,
)
SETTINGS: Final = TrainingSettings(batch_size=205, negatives=4, pool="split", stop_split=None, learning_rate=1e-3)
"""1,025 rows; negatives of the whole split, so that each group has all four."""
DNN: Final = {"widths": (1_000, 1_000, 1_000), "dropout": 0.0}
STEPS, WARM_UP, REPEATS = 6, 3, 5
"""No batch is seen twice, so that nothing is learnt by heart."""


@attrs.frozen
class Cost:
    """What some rows took."""

    rows_per_second: float
    cpu_seconds_per_1000_rows: float


def measure(baselines: tuple[str, ...] = BASELINES) -> dict[str, object]:
    """Each baseline in a process of its own; medians of runs that stood beside each other."""
    python = os.environ.get(VARIABLE, "")
    if not Path(python).is_file():
        return {"skipped": f"{VARIABLE}={python!r} is no interpreter: `benchmarks/fuxictr.py` tells how to make one"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        rows = [apart(_compare, folder, baseline, python).result for baseline in baselines]
    return {"rows": rows, "threads": torch.get_num_threads(), "torch": torch.__version__}


def prepare(folder: Path) -> None:
    """MIND-shaped data whose news have their id as their one entity, ready to train on."""
    write_mind_shaped(folder / "mind")
    for file in (folder / "mind").glob("*/news.tsv"):
        lines = [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines()]
        for line in lines:
            line[6] = json.dumps([{"WikidataId": line[0]}])
        file.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")
    save_dataset(read_dataset(Registry.load(), "mind", {"folder": str(folder / "mind")}), folder / "dataset")
    features(folder)


def features(folder: Path) -> Features:
    """What `prepare` prepared."""
    return prepare_features(load_dataset(folder / "dataset"), FEATURES, cache=folder / "cache")


def model(of: Features, baseline: str) -> Recommender:
    """A baseline with random weights, at FuxiCTR's widths and without dropout."""
    registry = Registry.load()
    record = attrs.evolve(
        registry.baseline(baseline), field_options={"embedding": {"dropout": 0.0}}, interaction_options=DNN
    )
    return build_recommender(registry, record, of.vocabulary, FEATURES, fusion=False)


def _compare(folder: Path, baseline: str, python: str) -> dict[str, object]:
    data = features(folder)
    recommender = model(data, baseline).train()
    sampler = GroupSampler(data, SETTINGS, seed=0, portions=recommender.news_tower.portions)
    drawn = list(itertools.islice(sampler.draws(1), 1 + WARM_UP + REPEATS * STEPS))
    optimizer = RowwiseAdam(recommender, SETTINGS)
    made = iter([sampler.collate(*each) for each in drawn])
    fresh = (sampler.collate(*each) for each in sampler.draws(2))
    with FlopCounterMode(display=False) as counter:
        _train(recommender, optimizer, made, 1)
    costs: dict[str, list[Cost]] = {}
    with ExitStack() as stack:
        ways: dict[str, Callable[[int], Cost]] = {"ours": partial(_train, recommender, optimizer, made)}
        versions = {}
        for name, user in (("fuxictr", False), ("fuxictr_with_user", True)):
            rows = folder / f"{name}.npz"
            _write(rows, data, sampler, drawn, user=user)
            loop, versions[name] = stack.enter_context(_fuxictr(python, rows, baseline))
            ways[name] = loop
        ways["with_batches"] = partial(_train, recommender, optimizer, fresh)
        for way in ways.values():
            way(WARM_UP)
        for _ in range(REPEATS):
            for name, way in ways.items():
                costs.setdefault(name, []).append(way(STEPS))
    count = SETTINGS.batch_size * (1 + SETTINGS.negatives)
    figures: dict[str, object] = {"baseline": baseline}
    for name, each in costs.items():
        figures[f"{name}_rows_per_second"] = round(statistics.median(cost.rows_per_second for cost in each))
        cpu = statistics.median(cost.cpu_seconds_per_1000_rows for cost in each)
        figures[f"{name}_cpu_seconds_per_1000_rows"] = round(cpu, 3)
    for name in ("fuxictr", "fuxictr_with_user"):
        pairs = list(zip(costs["ours"], costs[name], strict=True))
        speed = statistics.median(ours.rows_per_second / theirs.rows_per_second for ours, theirs in pairs)
        cpu = statistics.median(
            theirs.cpu_seconds_per_1000_rows / ours.cpu_seconds_per_1000_rows for ours, theirs in pairs
        )
        figures |= {f"ratio_to_{name}": round(speed, 2), f"cpu_ratio_to_{name}": round(cpu, 2)}
    mflop = {"ours": counter.get_total_flops(), **{name: told["flop"] for name, told in versions.items()}}
    figures["mflop_per_row"] = {name: round(flop / count / 1e6, 2) for name, flop in mflop.items()}
    return figures | {"fuxictr": versions["fuxictr"]["fuxictr"], "fuxictr_torch": versions["fuxictr"]["torch"]}


def _train(recommender: Recommender, optimizer: RowwiseAdam, batches: Iterator[Batch], steps: int) -> Cost:
    start, cpu = time.perf_counter(), time.process_time()
    rows = 0
    for batch in itertools.islice(batches, steps):
        loss = LOSSES[recommender.baseline.loss](recommender(batch), batch.labels, batch.mask)
        optimizer.step(loss)
        loss.item()
        rows += batch.mask.numel()
    return _cost(time.perf_counter() - start, time.process_time() - cpu, rows)


def _cost(seconds: float, cpu: float, rows: int) -> Cost:
    return Cost(rows / seconds, 1_000 * cpu / rows)


class _Loop:
    """A process of `fuxictr_loop.py`, which does nothing between two calls."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def read(self) -> dict[str, float]:
        assert self._process.stdout is not None
        told: dict[str, float] = json.loads(self._process.stdout.readline())
        return told

    def __call__(self, steps: int) -> Cost:
        assert self._process.stdin is not None
        print(steps, file=self._process.stdin, flush=True)
        told = self.read()
        return _cost(told["seconds"], told["cpu"], steps * SETTINGS.batch_size * (1 + SETTINGS.negatives))


@contextmanager
def _fuxictr(python: str, rows: Path, baseline: str) -> Iterator[tuple[_Loop, dict[str, float]]]:
    """The loop, and what it told first."""
    script = Path(__file__).with_name("fuxictr_loop.py")
    # -P: this folder holds a `fuxictr.py` too, which must not stand before the library.
    command = [python, "-P", str(script), str(rows), baseline]
    environment = os.environ | {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        loop = _Loop(process)
        yield loop, loop.read()


def _write(rows: Path, data: Features, sampler: GroupSampler, drawn: list[Drawn], *, user: bool) -> None:
    """Write the arrays that `fuxictr_loop.py` reads: one row a candidate, ids as ours are."""
    sizes = [len(data.dataset.news) + 1]
    sizes += [len(data.vocabulary.categories[name]) + 1 for name in FEATURES.categories]
    arrays = {"shape": np.array([*sizes, len(data.vocabulary.users) + 1 if user else 0])}
    for number, (impressions, candidates, _) in enumerate(drawn):
        width = candidates.shape[1]
        readers = sampler.readers[impressions]
        history, mask = data.readers.history.take(readers).padded()
        rolled = np.argsort(mask, axis=1, kind="stable")  # padding to the front
        history = np.take_along_axis(np.where(mask, history + 1, 0), rolled, axis=1)  # (B, H)
        shown = candidates.reshape(-1)
        arrays |= {
            f"{number}.news": np.column_stack([np.repeat(history, width, axis=0), shown + 1]).astype(np.int64),
            f"{number}.user": np.repeat(data.readers.user[readers], width).astype(np.int64),
            f"{number}.label": np.tile(np.arange(width) == 0, len(candidates)).astype(np.int64),
        }
        arrays |= {f"{number}.{name}": ids[shown].astype(np.int64) for name, ids in data.news.categories.items()}
    np.savez(rows, allow_pickle=False, **arrays)
