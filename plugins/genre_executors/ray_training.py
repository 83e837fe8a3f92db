"""A training by the workers of Ray Train, each one process of torch's group over gloo."""

import logging
import shutil
import threading
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import RayError
from ray.train import RunConfig, ScalingConfig
from ray.train.torch import TorchConfig, TorchTrainer

from genre.discovery import load_callable
from genre.errors import GenreError, RunError
from genre.registry import Registry
from genre_executors.ray_connection import actor_here, connected
from genre_executors.ray_desk import FLUSH_SECONDS, Desk, DeskMessages, DeskWatch
from genre_executors.ray_options import RayOptions
from genre_executors.sent import error_of, failure_of, sent_layers, settings_from

if TYPE_CHECKING:
    from ray.actor import ActorHandle

    from genre.modeling.executors import TrainingWork

RESTARTS = 3
"""How often a training goes on from its checkpoint when a process was lost."""
_REMEDY = "look into Ray's logs; the same call with --resume goes on from the last checkpoint"
PATIENCE_SECONDS = 12 * 3600
"""How long a process waits for another that is alive."""


def train_on_ray(options: RayOptions, work: "TrainingWork") -> str:
    """What rank 0 returns; see `genre.modeling.executors.TrainingExecutor`."""
    cpus = max(1.0, options.cpus)
    with connected(options.address, options.workers * cpus):
        desk = actor_here(Desk)
        try:
            for start in range(RESTARTS + 1):
                messages = _watched(_trainer(options.workers, cpus, desk, work, restarted=start > 0), desk, work)
                if messages.state == "done":
                    return messages.outcome
                if messages.state == "interrupted":
                    raise KeyboardInterrupt
                if messages.failure is not None:
                    raise error_of(messages.failure)
        except RayError as error:
            raise RunError(f"Ray failed: {str(error).splitlines()[0]}", where="executor ray", remedy=_REMEDY) from error
        finally:
            shutil.rmtree(work.scratch, ignore_errors=True)
            ray.kill(desk)
    raise RunError(
        f"a process was lost {RESTARTS + 1} times: {messages.crash or 'it ended'}",
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


def _watched(trainer: TorchTrainer, desk: "ActorHandle", work: "TrainingWork") -> DeskMessages:
    """Until the processes have ended. The first Ctrl-C asks them to, and the second waits no longer."""
    over = threading.Event()  # and not the thread's end: who is interrupted while he waits for that takes it for ended
    threading.Thread(target=_fit, args=(trainer, over), name="genre-ray-train", daemon=True).start()
    asked = False
    while True:
        try:
            going = not over.is_set()
            messages: DeskMessages = ray.get(desk.look.remote())
            for event in messages.events:
                work.on_event(event)
            if not going:
                return messages
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
            outcome = load_callable(config["entry"])(config["arguments"], registry, processes, watch)
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
