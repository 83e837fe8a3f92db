"""Jobs by tasks of a Ray cluster."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs
import ray
from ray.exceptions import RayError

from genre.discovery import load_callable
from genre.errors import GenreError, RunError
from genre.registry import Registry
from genre_executors.ray_connection import actor_here, connected
from genre_executors.ray_desk import FLUSH_SECONDS, Desk, DeskMessages, DeskWatch
from genre_executors.ray_options import RayOptions
from genre_executors.sent import SentLayers, error_of, failure_of, failure_of_a_job, sent_layers, settings_from

if TYPE_CHECKING:
    from ray import ObjectRef
    from ray.actor import ActorHandle

    from genre.modeling.executors import Jobs

RESTARTS = 3
"""How often a job is begun again when its process was lost."""
END_SECONDS = 30.0
"""How long jobs that were asked to end may take."""


@attrs.define(eq=False)
class _Job:
    """A job under way.

    Attributes:
        desk: where it leaves its messages.
        task: Ray's.
        starts: how often it was begun.
    """

    arguments: str
    desk: "ActorHandle"
    task: "ObjectRef"
    starts: int = 1


def run_jobs_on_ray(options: RayOptions, jobs: "Jobs") -> None:
    """See `genre.modeling.executors.JobExecutor`."""
    cpus = max(1.0, options.cpus)
    with connected(options.address, jobs.at_once * cpus):
        _Runner(jobs, sent_layers(jobs.registry.settings, ()), cpus).run()


class _Runner:
    """Keeps jobs under way."""

    def __init__(self, jobs: "Jobs", layers: SentLayers, cpus: float) -> None:
        self._jobs = jobs
        self._layers = layers
        # Ray itself would begin a job again without telling it so.
        self._task = ray.remote(_work).options(num_cpus=cpus, max_retries=0)
        self._running: list[_Job] = []

    def run(self) -> None:
        waiting = list(self._jobs.arguments)
        try:
            while waiting or self._running:
                while waiting and len(self._running) < self._jobs.at_once:
                    self._running.append(self._begun(waiting.pop(0)))
                ray.wait([job.task for job in self._running], timeout=FLUSH_SECONDS)
                self._running = [job for job in self._running if not self._is_done(job)]
        except BaseException:
            self._end()
            raise

    def _begun(self, arguments: str) -> _Job:
        desk = actor_here(Desk)
        return _Job(arguments, desk, self._sent(desk, arguments, restarted=False))

    def _sent(self, desk: "ActorHandle", arguments: str, *, restarted: bool) -> "ObjectRef":
        return self._task.remote(desk, self._layers, self._jobs.entry, arguments, restarted)

    def _is_done(self, job: _Job) -> bool:
        over = not self._pending([job])  # asked before the desk is looked at: it holds all of it then
        messages: DeskMessages = ray.get(job.desk.look.remote())
        for event in messages.events:
            self._jobs.on_event(event)
        if not over:
            return False
        if messages.failure is not None:
            raise error_of(messages.failure)
        if messages.state != "done":
            self._begin_again(job)
            return False
        ray.kill(job.desk)
        return True

    def _begin_again(self, job: _Job) -> None:
        if job.starts > RESTARTS:
            raise RunError(
                f"the process of a job was lost {job.starts} times: {_why(job.task)}",
                where="executor ray",
                remedy="look into Ray's logs; the same call goes on from there",
            )
        job.starts += 1
        job.task = self._sent(job.desk, job.arguments, restarted=True)

    def _end(self) -> None:
        """Ask the jobs to end, and wait a while."""
        deadline = time.monotonic() + END_SECONDS
        for job in self._running:
            job.desk.end.remote()
        while self._pending(self._running) and time.monotonic() < deadline:
            ray.wait([job.task for job in self._running], num_returns=len(self._running), timeout=FLUSH_SECONDS)
        for job in self._running:
            ray.cancel(job.task, force=True)
            ray.kill(job.desk)

    def _pending(self, jobs: Sequence[_Job]) -> bool:
        return bool(jobs) and bool(ray.wait([job.task for job in jobs], num_returns=len(jobs), timeout=0)[1])


def _why(task: "ObjectRef") -> str:
    try:
        ray.get(task)
    except RayError as error:
        return str(error).splitlines()[0]
    return "it ended"


def _work(desk: "ActorHandle", layers: SentLayers, entry: str, arguments: str, restarted: bool) -> None:
    """In a worker's process."""
    with DeskWatch(desk, heard=True, restarted=restarted) as watch:
        try:
            load_callable(entry)(arguments, Registry.load(settings_from(layers)), watch)
        except GenreError as error:
            ray.get(desk.fail.remote(failure_of(error)))
            return
        except KeyboardInterrupt:
            ray.get(desk.interrupted.remote())
            return
        except Exception as error:
            ray.get(desk.fail.remote(failure_of_a_job(error, "executor ray")))
            raise
    ray.get(desk.done.remote(""))
