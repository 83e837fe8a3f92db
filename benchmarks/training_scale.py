"""What a training at scale is made of: bytes a candidate, a click, a news; steps a second alone and by two processes.

python -m benchmarks training_scale
"""

import contextlib
import os
import socket
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as spawned

from benchmarks.mind_shaped import write_mind_shaped
from genre.dataset import load_dataset, save_dataset
from genre.experiments.steps import read_dataset
from genre.modeling.batches import GroupSampler
from genre.modeling.composition import build_recommender
from genre.modeling.distributed import ProcessGroup
from genre.modeling.features import Features, prepare_features
from genre.modeling.optimizer import RowwiseAdam
from genre.modeling.processes import ALONE, Processes
from genre.modeling.recommender import Recommender
from genre.modeling.settings import FeatureSettings, TrainingSettings
from genre.modeling.training import StepReport, train
from genre.modeling.training_checkpoint import TrainingCheckpoint, write_checkpoint
from genre.modeling.training_state import TrainingState
from genre.registry import Registry

BASELINE: Final = "nrms"
SETTINGS: Final = TrainingSettings(stop_split=None)
STEPS: Final = 60
"""The first third warms up."""


class _EnoughError(Exception):
    pass


def measure() -> dict[str, object]:
    """All of it, for `genre train --baseline nrms` with default settings on data of MIND-small's shape; one thread."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_mind_shaped(folder / "mind")
        save_dataset(read_dataset(Registry.load(), "mind", {"folder": str(folder / "mind")}), folder / "dataset")
        features = _features(folder)
        figures = {**_bytes(features), **_checkpoint(features, folder)}
        figures["steps a second, one process"] = round(_steps_a_second(features, ALONE), 1)
        for size in (1, 2):
            _together(folder, size)
            seconds, sent = np.load(folder / "result.npy")
            figures[f"steps a second, torch's group of {size}"] = round(1 / seconds, 1)
        figures["KB a process hands on in a step"] = round(sent / 1e3)
        return figures


def _features(folder: Path) -> Features:
    return prepare_features(load_dataset(folder / "dataset"), FeatureSettings(), cache=folder / "cache")


def _model(features: Features) -> Recommender:
    return build_recommender(Registry.load(), BASELINE, features.vocabulary, features.settings, fusion=False)


def _bytes(features: Features) -> dict[str, object]:
    dataset = features.dataset
    candidates = int(dataset.impressions["candidates"].list.len().sum())
    clicks = int(dataset.readers["history"].list.len().sum())
    sampler = GroupSampler(features, SETTINGS, 0)
    split = features.split("train")
    ragged = (split.candidates, sampler.clicks, sampler.others)
    arrays = [split.labels, sampler.shown, sampler.positives, sampler.impressions]
    arrays += [array for each in ragged for array in (each.values, each.offsets)]
    tokens = [array for each in features.news.texts.values() for array in (each.values, each.offsets)]
    return {
        "bytes a candidate, data set": round(dataset.impressions.estimated_size() / candidates, 1),
        "bytes a candidate, sampler": round(sum(array.nbytes for array in arrays) / len(split.labels), 1),
        "bytes a click, data set": round(dataset.readers.estimated_size() / clicks, 1),
        "bytes a news, data set": round(
            (dataset.news.estimated_size() + dataset.texts.estimated_size()) / dataset.news.height
        ),
        "bytes a news, token ids on disk": round(sum(array.nbytes for array in tokens) / dataset.news.height),
        "groups an impression": round(len(sampler.positives) / len(split.impressions), 2),
    }


def _checkpoint(features: Features, folder: Path) -> dict[str, object]:
    model = _model(features)
    optimizer = RowwiseAdam(model, SETTINGS)
    sampler = GroupSampler(features, SETTINGS, 0)
    batch = next(sampler.epoch(1))
    optimizer.step(model(batch).sum())
    state = TrainingState()
    state.end_epoch(0.0, {}, 0.0, model.state_dict())
    start = time.perf_counter()
    write_checkpoint(folder / "checkpoint", TrainingCheckpoint({}, state, model.state_dict(), optimizer.state()))
    seconds = time.perf_counter() - start
    weights = sum(value.numel() for value in model.parameters())
    tables = [module.weight for module in model.modules() if isinstance(module, torch.nn.Embedding)]
    size = (folder / "checkpoint").stat().st_size
    return {
        "weights in tables": sum(table.numel() for table in tables),
        "other weights": weights - sum(table.numel() for table in tables),
        "bytes a weight, checkpoint": round(size / weights, 1),
        "MB a second, checkpoint": round(size / seconds / 1e6),
    }


def _steps_a_second(features: Features, processes: Processes) -> float:
    times: list[float] = []

    def note(_: StepReport) -> None:
        times.append(time.perf_counter())
        if len(times) == STEPS:
            raise _EnoughError

    with contextlib.suppress(_EnoughError):
        train(_model(features), features, SETTINGS, seed=0, processes=processes, on_step=note)
    return 1 / float(np.median(np.diff(times[STEPS // 3 :])))


def _together(folder: Path, size: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    spawned.spawn(_one_of, (size, port, str(folder)), nprocs=size)


def _one_of(rank: int, size: int, port: int, folder: str) -> None:
    torch.set_num_threads(1)
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "RANK": str(rank), "WORLD_SIZE": str(size)}
    dist.init_process_group("gloo")
    features = _features(Path(folder))
    seconds = 1 / _steps_a_second(features, ProcessGroup())
    if rank == 0:
        np.save(Path(folder) / "result.npy", np.array([seconds, _sent(features, size)]))
    dist.destroy_process_group()


def _sent(features: Features, size: int) -> int:
    """Bytes of one process's gradients in a step: dense weights, and rows of tables with their ids."""
    model = _model(features)
    groups = GroupSampler(features, SETTINGS, 0)
    impressions, candidates, mask = next(groups.draws(1))
    mine = slice(0, -(-len(impressions) // size))
    optimizer = RowwiseAdam(model, SETTINGS)
    optimizer.backward(model(groups.collate(impressions[mine], candidates[mine], mask[mine])).sum())
    total = 0
    for weight in optimizer.weights:
        if weight.grad is not None and weight.grad.is_sparse:
            gradient = weight.grad.coalesce()
            total += gradient.values().nbytes + gradient.indices().nbytes
        elif weight.grad is not None:
            total += weight.grad.nbytes
    return total
