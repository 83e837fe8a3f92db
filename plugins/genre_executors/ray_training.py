"""A training by the workers of Ray Train, each one process of torch's group over gloo."""

import logging
import shutil
import threading
from typing import TYPE_CHECKING, Any

import ray
from ray.train import RunConfig, ScalingConfig
from ray.train.torch import TorchConfig, TorchTrainer
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from genre.discovery import load_import_string
from genre.errors import GenreError, RunError
from genre.registry import Registry
from genre_executors.ray_connection import connected
from genre_executors.ray_desk import FLUSH_SECONDS, Desk, DeskWatch, News
from genre_executors.ray_rows import error_of, failure_of, sent_layers, settings_from

if TYPE_CHECKING:
    from ray.actor import ActorHandle

    from genre.modeling.executors import TrainingWork
    from genre_executors.ray_executor import RayOptions

RESTARTS = 3
"""How often a training goes on from its checkpoint when a process was lost."""
PATIENCE_SECONDS = 12 * 3600
"""How long a process waits for another that is alive."""


def train_on_ray(options: "RayOptions", work: "TrainingWork") -> str:
    """What rank 0 returns; see `genre.modeling.executors.TrainingExecutor`."""
    cpus = max(1.0, options.cpus)
    with connected(options.address, options.workers * cpus):
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        desk = ray.remote(Desk).options(num_cpus=0, scheduling_strategy=here).remote()
        try:
            for start in range(RESTARTS + 1):
                news = _watched(_trainer(options.workers, cpus, desk, work, restarted=start > 0), desk, work)
                if news.state == "done":
                    return news.outcome
                if news.state == "interrupted":
                    raise KeyboardInterrupt
                if news.failure is not None:
                    raise error_of(news.failure)
        finally:
            shutil.rmtree(work.scratch, ignore_errors=True)
            ray.kill(desk)
    raise RunError(
        f"a process was lost {RESTARTS + 1} times: {news.crash or 'it ended'}",
        where="executor ray",
        remedy="look into Ray's logs; the same call with --resume goes on from the last checkpoint",
    )


def _trainer(workers: int, cpus: float, desk: "ActorHandle", work: "TrainingWork", *, restarted: bool) -> TorchTrainer:
    logging.getLogger("ray.train").setLevel(logging.CRITICAL)  # it tells of each step of its own, and repeats errors
    return TorchTrainer(
        _train_here,
        train_loop_config={
            "desk": desk,
            "layers": sent_layers(work.registry.settings, ()),
            "entry": work.entry,
            "arguments": work.arguments,
            "restarted": restarted,
        },
        torch_config=TorchConfig(backend="gloo", timeout_s=PATIENCE_SECONDS),
        scaling_config=ScalingConfig(num_workers=workers, resources_per_worker={"CPU": cpus}),
        run_config=RunConfig(name="training", storage_path=str(work.scratch)),
    )


def _watched(trainer: TorchTrainer, desk: "ActorHandle", work: "TrainingWork") -> News:
    """Until the processes have ended. The first Ctrl-C asks them to, and the second waits no longer."""
    thread = threading.Thread(target=_fit, args=(trainer,), name="genre-ray-train", daemon=True)
    thread.start()
    asked = False
    while True:
        try:
            going = thread.is_alive()
            news: News = ray.get(desk.look.remote())
            for event in news.events:
                work.on_event(event)
            if not going:
                return news
            thread.join(FLUSH_SECONDS)
        except KeyboardInterrupt:
            if asked:
                raise
            asked = True
            desk.end.remote()


def _fit(trainer: TorchTrainer) -> None:
    try:
        trainer.fit()
    except Exception:
        logging.getLogger(__name__).debug("Ray Train ended", exc_info=True)


def _train_here(config: dict[str, Any]) -> None:
    """In a worker's process. An error has to leave it: then Ray ends the others, which wait for this one."""
    from genre.modeling.distributed import ProcessGroup

    desk = config["desk"]
    processes = ProcessGroup()
    with DeskWatch(desk, heard=processes.rank == 0, restarted=config["restarted"]) as watch:
        try:
            registry = Registry.load(settings_from(config["layers"]))
            entry: Any = load_import_string(config["entry"])
            outcome = entry(config["arguments"], registry, processes, watch)
        except GenreError as error:
            ray.get(desk.fail.remote(failure_of(error)))
            raise
        except KeyboardInterrupt:
            ray.get(desk.interrupted.remote())
            return
        except Exception as error:
            ray.get(desk.crashed.remote(repr(error)))
            raise
    if processes.rank == 0:
        ray.get(desk.done.remote(outcome))
