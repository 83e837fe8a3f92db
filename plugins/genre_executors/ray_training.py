"""A training by the workers of Ray Train, each one process of torch's group over gloo."""

import logging
import shutil
import threading
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import RayError
from ray.train import RunConfig, ScalingConfig
from ray.train.torch import TorchConfig, TorchTrainer
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from genre.discovery import load_import_string
from genre.errors import GenreError, RunError
from genre.registry import Registry
from genre_executors.ray_connection import connected
from genre_executors.ray_desk import FLUSH_SECONDS, Desk, DeskWatch, News
from genre_executors.sent import error_of, failure_of, sent_layers, settings_from

if TYPE_CHECKING:
    from ray.actor import ActorHandle

    from genre.modeling.executors import TrainingWork
    from genre_executors.ray_executor import RayOptions

RESTARTS = 3
"""How often a training goes on from its checkpoint when a process was lost."""
_REMEDY = "look into Ray's logs; the same call with --resume goes on from the last checkpoint"
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
        except RayError as error:
            raise RunError(f"Ray failed: {str(error).splitlines()[0]}", where="executor ray", remedy=_REMEDY) from error
        finally:
            shutil.rmtree(work.scratch, ignore_errors=True)
            ray.kill(desk)
    raise RunError(
        f"a process was lost {RESTARTS + 1} times: {news.crash or 'it ended'}",
        where="executor ray",
        remedy=_REMEDY,
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
    over = threading.Event()  # and not the thread's end: who is interrupted while he waits for that takes it for ended
    threading.Thread(target=_fit, args=(trainer, over), name="genre-ray-train", daemon=True).start()
    asked = False
    while True:
        try:
            going = not over.is_set()
            news: News = ray.get(desk.look.remote())
            for event in news.events:
                work.on_event(event)
            if not going:
                return news
            over.wait(FLUSH_SECONDS)
        except KeyboardInterrupt:
            if asked:
                raise
            asked = True
            desk.end.remote()


def _fit(trainer: TorchTrainer, over: threading.Event) -> None:
    try:
        trainer.fit()
    except Exception:  # the desk was told why, or a process was lost
        logging.getLogger(__name__).debug("Ray Train ended", exc_info=True)
    finally:
        over.set()


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
