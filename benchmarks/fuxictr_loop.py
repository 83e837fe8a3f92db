"""FuxiCTR's DIN or DCN on rows that are handed over, in FuxiCTR's own environment: `fuxictr_loop.py ROWS.npz MODEL`.

Nothing of genre is imported. Each line of standard input is a number of training steps; the answer is a line of JSON:
`{"seconds": ..., "cpu": ...}`. The first line of the output tells operations of a step and the versions.

The array `shape` holds the sizes of the tables: news, categories, subcategories and users, each with 0 as padding. The
arrays of batch k are `k.news` (B, H + 1), the history, padded in front as FuxiCTR pads, then the candidate;
`k.category`, `k.subcategory`, `k.user` and `k.label` (B,). Zero users leave users out.
"""

import json
import sys
import tempfile
import time
from importlib.metadata import version
from typing import Any, Final

import numpy as np
import torch
from fuxictr.features import FeatureMap
from fuxictr.pytorch.layers import CrossNet
from model_zoo.LongCTR import DIN, DCNv2
from torch.utils.flop_counter import FlopCounterMode

WIDTH, HIDDEN, CROSSES, RATE = 64, [1000, 1000, 1000], 3, 1e-3
MAX_NORM: Final = 10.0
"""What `BaseModel.fit` clips gradients to."""

Rows = tuple[dict[str, torch.Tensor], dict[str, torch.Tensor], torch.Tensor]


def main() -> None:
    """Train as many steps as each line asks for."""
    rows, shape = _read(sys.argv[1])
    model = _model(sys.argv[2], shape)
    model.train()
    batches = iter(rows)
    with FlopCounterMode(display=False) as counter:
        model.train_step(next(batches))
    _tell(flop=counter.get_total_flops(), fuxictr=version("fuxictr"), torch=version("torch"))
    for line in sys.stdin:
        start, cpu = time.perf_counter(), time.process_time()
        for _ in range(int(line)):
            # As in `BaseModel.train_epoch`, which adds up losses.
            model.train_step(next(batches)).item()
        _tell(seconds=time.perf_counter() - start, cpu=time.process_time() - cpu)


def _tell(**values: object) -> None:
    print(json.dumps(values), flush=True)


def _read(path: str) -> tuple[list[Rows], dict[str, int]]:
    """Batches as `longctr_dataloader.BatchCollator` makes them."""
    arrays = np.load(path)
    shape = dict(zip(("news", "category", "subcategory", "user"), arrays["shape"].tolist(), strict=True))
    names = [name for name in ("category", "subcategory", "user") if shape[name]]
    batches = []
    for number in range(sum(name.endswith(".news") for name in arrays.files)):
        news = arrays[f"{number}.news"]
        others = {name: torch.from_numpy(arrays[f"{number}.{name}"]) for name in (*names, "label")}
        mask = torch.from_numpy((news[:, :-1] > 0).astype(np.float32))
        batches.append((others, {"news": torch.from_numpy(news.ravel())}, mask))
    return batches, {name: size for name, size in shape.items() if size}


def _model(name: str, shape: dict[str, int]) -> Any:
    folder = tempfile.gettempdir()
    features = FeatureMap("mind", folder)
    for field, size in shape.items():
        source = "item" if field == "news" else ""
        features.features[field] = {"type": "categorical", "source": source, "vocab_size": size, "padding_idx": 0}
    features.labels, features.default_emb_dim = ["label"], WIDTH
    settings = {
        "optimizer": "adam",
        "loss": "binary_crossentropy",
        "metrics": ["AUC"],
        "verbose": 0,
        "model_root": folder,
        "embedding_dim": WIDTH,
        "learning_rate": RATE,
    }
    model = _din(features, settings) if name == "din" else _dcn(features, settings)
    model._max_gradient_norm, model._batch_index = MAX_NORM, 0  # what `fit` sets
    return model


def _din(features: FeatureMap, settings: dict[str, Any]) -> Any:
    return DIN(features, dnn_hidden_units=HIDDEN, **settings)


def _dcn(features: FeatureMap, settings: dict[str, Any]) -> Any:
    """The wheel has DCN-V2 alone: with the cross network of DCN, which the wheel has too, it is DCN.

    Both of its parts stand side by side, and the history is the mean of its embeddings.
    """
    model = DCNv2(features, parallel_dnn_hidden_units=HIDDEN, **settings)
    model.crossnet = CrossNet(WIDTH * (features.num_fields or len(features.features) + 1), CROSSES)
    model.compile(settings["optimizer"], settings["loss"], settings["learning_rate"])
    return model


if __name__ == "__main__":
    main()
